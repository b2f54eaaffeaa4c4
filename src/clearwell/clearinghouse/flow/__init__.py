# SPDX-License-Identifier: Apache-2.0
"""The flow: a finding's way from a lab to a hospital, told in order. Each module is the desk of one part of the way.

0. `asking`        before anything is sent: "is this already held?", between parties that do not trust each other
1. `reporting`     a finder sends a report; it is sealed, recorded and answered line by line (intake, dedupe)
2. `checking`      what a report cites is compared with the real source before a human sees it (sanity)
3. `validating`    proofs run in isolation; what reproduced is proven, what did not is refused; proven findings join
4. `coordinating`  coordinators see why findings are one, split and merge them, invite the maintainer, extend, decide appeals
   `suggesting`    what may be one flaw waits in a queue for them; `judging` is what they do about it, there and on the case page
5. `maintaining`   the maintainer acts through a link: statements, a fixed version, a patch
6. `remediating`   a claimed fix is verified by the same proof; two people see the difference before it is distributed
7. `publishing`    the advisory is written, signed and put into the feed; an end date publishes a minimal one unattended
8. `operating`     each operator is matched as itself, told, and gives receipts through to *installed*

Every verb has one shape: open a transaction as somebody, load, ask the policy, apply the rule, save, write the ledger.
"""
