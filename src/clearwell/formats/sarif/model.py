# SPDX-License-Identifier: Apache-2.0
"""The parts of SARIF 2.1.0 that carry a finding, as typed structs.

Unknown keys are skipped (the standard allows more than is listed here). Parts of any shape or of unbounded size stay raw
until they are asked for: that keeps the common case fast and a dense document small in memory.
"""

import msgspec

ABSENT = msgspec.Raw()
"""Stands for a raw part that the document does not have: compare with `is`."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """3.11: `text`, or `id` into a table of strings with `{0}` placeholders."""

    text: str | None = None
    markdown: str | None = None
    id: str | None = None
    arguments: msgspec.Raw = ABSENT


class Artifact(msgspec.Struct, frozen=True, gc=False):
    """3.4 artifactLocation. `index` points into the run's artifacts."""

    uri: str | None = None
    uriBaseId: str | None = None
    index: int | None = None


class ArtifactEntry(msgspec.Struct, frozen=True):
    """3.24 artifact."""

    location: Artifact | None = None


class Snippet(msgspec.Struct, frozen=True, gc=False):
    """3.3 artifactContent, as far as it is text."""

    text: str | None = None


class Region(msgspec.Struct, frozen=True, gc=False):
    """3.30 region."""

    startLine: int | None = None
    snippet: Snippet | None = None


class Physical(msgspec.Struct, frozen=True, gc=False):
    """3.29 physicalLocation."""

    artifactLocation: Artifact | None = None
    region: Region | None = None
    contextRegion: Region | None = None


class Logical(msgspec.Struct, frozen=True, gc=False):
    """3.33 logicalLocation. `index` points into the run's logicalLocations."""

    name: str | None = None
    fullyQualifiedName: str | None = None
    kind: str | None = None
    index: int | None = None


class Place(msgspec.Struct, frozen=True, gc=False):
    """3.28 location."""

    physicalLocation: Physical | None = None
    logicalLocations: list[Logical] | None = None


class Step(msgspec.Struct, frozen=True, gc=False):
    """3.38 threadFlowLocation. `index` points into the run's threadFlowLocations."""

    location: Place | None = None
    index: int | None = None


class StackFrame(msgspec.Struct, frozen=True, gc=False):
    """3.45 stackFrame."""

    location: Place | None = None


class Stack(msgspec.Struct, frozen=True):
    """3.44 stack, innermost frame first."""

    frames: list[StackFrame] = []


class ThreadFlow(msgspec.Struct, frozen=True):
    """3.37 threadFlow."""

    locations: list[Step] = []


class CodeFlow(msgspec.Struct, frozen=True):
    """3.36 codeFlow."""

    threadFlows: list[ThreadFlow] = []


class Component(msgspec.Struct, frozen=True, gc=False):
    """3.54 toolComponentReference. `index` points into the tool's extensions."""

    name: str | None = None
    index: int | None = None
    guid: str | None = None


class Reference(msgspec.Struct, frozen=True, gc=False):
    """3.52 reportingDescriptorReference."""

    id: str | None = None
    index: int | None = None
    guid: str | None = None
    toolComponent: Component | None = None


class Relationship(msgspec.Struct, frozen=True):
    """3.53 reportingDescriptorRelationship."""

    target: Reference


class Suppression(msgspec.Struct, frozen=True):
    """3.35 suppression."""

    kind: str | None = None
    status: str | None = None


class Result(msgspec.Struct, frozen=True, gc=False):
    """3.27 result."""

    message: Message | None = None
    ruleId: str | None = None
    ruleIndex: int | None = None
    rule: Reference | None = None
    kind: str | None = None
    level: str | None = None
    locations: list[Place] | None = None
    guid: str | None = None
    correlationGuid: str | None = None
    fingerprints: msgspec.Raw = ABSENT
    partialFingerprints: msgspec.Raw = ABSENT
    taxa: list[Reference] | None = None
    properties: msgspec.Raw = ABSENT
    baselineState: str | None = None
    suppressions: msgspec.Raw = ABSENT
    codeFlows: msgspec.Raw = ABSENT
    relatedLocations: msgspec.Raw = ABSENT
    stacks: msgspec.Raw = ABSENT
    analysisTarget: Artifact | None = None


class Configuration(msgspec.Struct, frozen=True):
    """3.50 reportingConfiguration."""

    level: str | None = None


class Rule(msgspec.Struct, frozen=True):
    """3.49 reportingDescriptor: a rule, or a taxon such as a CWE."""

    id: str = ""
    guid: str | None = None
    name: str | None = None
    deprecatedIds: list[str] | None = None
    shortDescription: Message | None = None
    fullDescription: Message | None = None
    messageStrings: dict[str, Message] | None = None
    defaultConfiguration: Configuration | None = None
    helpUri: str | None = None
    help: Message | None = None
    relationships: list[Relationship] | None = None
    properties: msgspec.Raw = ABSENT


class Driver(msgspec.Struct, frozen=True):
    """3.19 toolComponent: the driver, an extension or a taxonomy."""

    name: str | None = None
    fullName: str | None = None
    guid: str | None = None
    version: str | None = None
    semanticVersion: str | None = None
    rules: list[Rule] | None = None
    taxa: list[Rule] | None = None
    globalMessageStrings: dict[str, Message] | None = None


class Tool(msgspec.Struct, frozen=True):
    """3.18 tool."""

    driver: Driver = Driver()
    extensions: list[Driver] | None = None


class Repository(msgspec.Struct, frozen=True):
    """3.23 versionControlDetails."""

    repositoryUri: str | None = None
    revisionId: str | None = None
    mappedTo: Artifact | None = None


class Override(msgspec.Struct, frozen=True):
    """3.51 configurationOverride."""

    descriptor: Reference = Reference()
    configuration: Configuration = Configuration()


class Invocation(msgspec.Struct, frozen=True):
    """3.20 invocation."""

    workingDirectory: Artifact | None = None
    executionSuccessful: bool | None = None
    ruleConfigurationOverrides: list[Override] | None = None


class External(msgspec.Struct, frozen=True):
    """3.15 externalPropertyFileReference."""

    guid: str | None = None
    location: Artifact | None = None


class Run(msgspec.Struct, frozen=True):
    """3.14 run, without its results."""

    tool: Tool = Tool()
    artifacts: list[ArtifactEntry] | None = None
    logicalLocations: list[Logical] | None = None
    originalUriBaseIds: dict[str, Artifact] | None = None
    taxonomies: list[Driver] | None = None
    versionControlProvenance: list[Repository] | None = None
    invocations: list[Invocation] | None = None
    threadFlowLocations: msgspec.Raw = ABSENT
    externalPropertyFileReferences: msgspec.Raw = ABSENT


class WholeRun(Run, frozen=True):
    """A run whose every result is of the right shape: decoded at once."""

    results: list[Result] | None = None


class LooseRun(Run, frozen=True):
    """A run with a broken result somewhere: each is decoded by itself."""

    results: list[msgspec.Raw] | None = None


class InlineProperties(msgspec.Struct, frozen=True):
    """4.3 externalProperties, inline: results kept beside the runs."""

    guid: str | None = None
    results: list[msgspec.Raw] | None = None


class WholeLog(msgspec.Struct, frozen=True):
    """3.13 sarifLog."""

    runs: list[WholeRun] | None
    version: str | None = None
    inlineExternalProperties: list[InlineProperties] | None = None


class LooseLog(msgspec.Struct, frozen=True):
    """3.13 sarifLog, its runs one by one."""

    runs: list[msgspec.Raw] | None
    version: msgspec.Raw = ABSENT
    inlineExternalProperties: msgspec.Raw = ABSENT
