# SPDX-License-Identifier: Apache-2.0
"""Control groups: found where they can be written, never assumed. The kernel's files are imitated by plain ones."""

import os
import subprocess
from pathlib import Path

import pytest

from clearwell.proving import cgroups


class Kernel:
    """A folder that answers mkdir as a control group file system does: new groups come with their files."""

    def __init__(self, root: Path, files: dict[str, tuple[str, ...]], monkeypatch: pytest.MonkeyPatch) -> None:
        original = os.mkdir

        def mkdir(folder: str, *arguments: object, **keywords: object) -> None:
            original(folder, *arguments, **keywords)  # type: ignore[arg-type]
            for base, names in files.items():
                if Path(folder).parent == root / base and Path(folder).name.startswith(cgroups.PREFIX):
                    for name in names:
                        (Path(folder) / name).touch()

        monkeypatch.setattr(os, "mkdir", mkdir)
        for base in files:
            (root / base).mkdir(parents=True, exist_ok=True)


def test_version_two_is_used_where_the_parent_hands_controllers_on(tmp_path, monkeypatch):
    Kernel(tmp_path, {"slice": ("memory.max", "pids.max", "cgroup.procs"), "slice/own": ("cgroup.procs",)}, monkeypatch)
    (tmp_path / "slice/cgroup.subtree_control").touch()
    (tmp_path / "slice/own/cgroup.subtree_control").touch()
    group = cgroups.make(1000, 10, str(tmp_path), "0::/slice/own\n")
    assert group.is_v2
    assert group.memory is not None
    place = Path(group.memory)
    assert place.parent == tmp_path / "slice"
    assert (place / "memory.max").read_text() == "1000"
    assert (place / "pids.max").read_text() == "10"


def test_version_one_is_used_controller_by_controller(tmp_path, monkeypatch):
    files = {"memory/a": ("memory.limit_in_bytes", "tasks"), "cpuacct": ("tasks", "cpuacct.usage")}
    Kernel(tmp_path, files, monkeypatch)
    for place in files:
        (tmp_path / place / "tasks").touch()
    group = cgroups.make(1000, 10, str(tmp_path), "3:memory:/a\n2:pids:/\n1:cpu,cpuacct:/\n")
    assert group.memory is not None
    assert (Path(group.memory) / "memory.limit_in_bytes").read_text() == "1000"
    assert group.processes is None
    assert group.cpu is not None


def test_nothing_writable_means_no_limit_and_says_so(tmp_path):
    group = cgroups.make(1000, 10, str(tmp_path), "0::/\n3:memory:/a\n")
    assert (group.memory, group.processes, group.cpu, group.folders) == (None, None, None, [])
    assert group.cpu_seconds() is None


def test_a_plain_folder_is_not_taken_for_a_control_group(tmp_path):
    (tmp_path / "cgroup.subtree_control").touch()
    assert cgroups.make(1000, 10, str(tmp_path), "0::/\n").memory is None
    assert not list(tmp_path.glob("clearwell-*"))


def test_a_group_that_was_handed_over_is_left_for_a_leaf_of_it(tmp_path):
    (tmp_path / "scope/stage").mkdir(parents=True)
    (tmp_path / "scope/stage/cgroup.procs").touch()  # as the kernel does
    cgroups.settle(str(tmp_path), "0::/scope\n")
    assert int((tmp_path / "scope/stage/cgroup.procs").read_text()) > 1


def test_version_one_is_no_use_where_there_is_no_way_back(tmp_path, monkeypatch):
    Kernel(tmp_path, {"pids": ("pids.max", "tasks")}, monkeypatch)
    group = cgroups.make(1000, 10, str(tmp_path), "2:pids:/\n")
    assert group.processes is None


def test_what_is_started_inside_is_born_in_the_group_and_who_started_it_is_out_again():
    group = cgroups.make(64 << 20, 16)
    try:
        if group.processes is None:
            pytest.skip("no control group can be written here")
        way = group.way_in()
        with way.inside():
            born = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
        way.move(born.pid)
        # then its limits hold for the one and not for the other
        name = Path(group.processes).name
        assert name in Path(f"/proc/{born.pid}/cgroup").read_text()
        assert name not in Path("/proc/thread-self/cgroup").read_text()
        born.communicate()
    finally:
        group.remove()


def test_in_version_two_the_processes_are_moved(tmp_path):
    (tmp_path / "cgroup.procs").touch()
    way = cgroups.Group(str(tmp_path)).way_in()
    with way.inside():
        assert (tmp_path / "cgroup.procs").read_text() == ""
    way.move(4711)
    assert (tmp_path / "cgroup.procs").read_text() == "4711"


def test_what_a_killed_stage_left_in_its_group_is_ended_and_the_group_removed():
    # given a group of an owner that cannot exist, with a process in it that lives
    group = cgroups.make(64 << 20, 16)
    if group.processes is None:
        group.remove()
        pytest.skip("no control group can be written here")
    folder = Path(group.processes)
    orphaned = folder.with_name(f"{cgroups.PREFIX}4194305-left")
    orphaned.mkdir()
    with subprocess.Popen(["/bin/sleep", "600"]) as left:
        (orphaned / "cgroup.procs").write_text(str(left.pid))
        # when the next stage starts
        assert cgroups.sweep() >= 1
        # then neither is there any more, and the group of an owner who lives is
        assert left.wait(5) == -9
        assert not orphaned.exists()
        assert folder.exists()
    group.remove()
