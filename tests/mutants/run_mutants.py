"""Change the pure modules one small piece at a time, and fail where the tests do not notice.

Run it with `make mutants`. mutmut makes the mutants and runs the tests that reach each of them; `[tool.mutmut]` in
pyproject.toml names the modules and the tests. This script fails in three cases: fewer than LEAST_KILLED of the
mutants are noticed, a mutant survives that survivors.toml does not explain, or an explanation there fits no survivor
any more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

ROOT = Path(__file__).parents[2]
STAGE = ROOT / "build" / "mutants"
"""mutmut names a module by its path, and knows no other folder of sources than `src`. Here, `src` is `backend`."""
NAMED_ALIKE = ("tests", "prompts", "label_config", "pyproject.toml")
LEAST_KILLED = 0.85
NOTICED = {1, 3, -24, 24, 152, 255, 36}
"""Exit codes of a test run that failed (1 and 3), or that ran out of time (the others; mutmut's own table)."""


@dataclass(frozen=True)
class Survivor:
    """A mutant that no test noticed.

    Attributes:
        function: Its module and function, such as "review_copilot.compare.matching.assign".
        change: Changed lines of the function, "- old" and "+ new", one a line.
    """

    function: str
    change: str


@dataclass(frozen=True)
class Explanation:
    """Why some survivors may survive.

    Attributes:
        function: Shell pattern of their functions.
        change: Regular expression that is found in their changes.
        reason: A sentence.
    """

    function: str
    change: str
    reason: str

    def fits(self, survivor: Survivor) -> bool:
        """Whether it speaks of a survivor."""
        return fnmatchcase(survivor.function, self.function) and bool(re.search(self.change, survivor.change))


def explanations() -> tuple[Explanation, ...]:
    """Those of survivors.toml; a key too many or too few is an error."""
    with (Path(__file__).parent / "survivors.toml").open("rb") as file:
        return tuple(Explanation(**entry) for entry in tomllib.load(file)["survivors"])


def stage(*, anew: bool) -> None:
    """Lay out the folder in which mutmut works: links to the sources and to what the tests read."""
    if anew:
        shutil.rmtree(STAGE, ignore_errors=True)
    STAGE.mkdir(parents=True, exist_ok=True)
    for name, target in (("src", "backend"), *((name, name) for name in NAMED_ALIKE)):
        link = STAGE / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(ROOT / target, STAGE))


def mutate(only: Sequence[str], *, children: int) -> None:
    """Run mutmut; it keeps what it found before, but for mutants that are named."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    mutmut = Path(sys.executable).with_name("mutmut")
    command = [str(mutmut), "run", "--max-children", str(children), *only]
    subprocess.run(command, cwd=STAGE, env=environment, check=True)


def results(only: Sequence[str]) -> dict[str, int]:
    """Exit code of the tests by mutant; mutants that were not tried are left out."""
    codes: dict[str, int | None] = {}
    for file in sorted((STAGE / "mutants" / "src").rglob("*.py.meta")):
        codes |= json.loads(file.read_text("utf-8"))["exit_code_by_key"]
    wanted = only or ["*"]
    return {
        name: code
        for name, code in codes.items()
        if code is not None and any(fnmatchcase(name, pattern) for pattern in wanted)
    }


def survivors(names: Iterable[str]) -> list[Survivor]:
    """What was changed in each mutant."""
    script = (
        "import json, sys\n"
        "from mutmut.mutation.diff_apply import get_diff_for_mutant\n"
        "names = json.load(sys.stdin)\n"
        "path = lambda name: 'src/' + name.rpartition('.')[0].replace('.', '/') + '.py'\n"
        "json.dump({name: get_diff_for_mutant(name, path=path(name)) for name in names}, sys.stdout)\n"
    )
    wanted = json.dumps(sorted(names))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=STAGE, input=wanted, capture_output=True, text=True, check=True
    )
    return [Survivor(function_of(name), changed_lines(diff)) for name, diff in json.loads(done.stdout).items()]


def function_of(name: str) -> str:
    """Module and function of a mutant: "a.b.x_f__mutmut_3" is one of "a.b.f"."""
    module, _, mangled = name.partition("__mutmut_")[0].rpartition(".")
    return f"{module}.{mangled[1:].replace('ǁ', '.').removeprefix('.').removeprefix('_')}"


def changed_lines(diff: str) -> str:
    """The lines of a unified diff that differ, without their indentation."""
    lines = [line for line in diff.splitlines() if line[:1] in {"-", "+"} and line[:3] not in {"---", "+++"}]
    return "\n".join(f"{line[0]} {line[1:].strip()}" for line in lines)


def report(codes: dict[str, int], found: Sequence[Survivor], known: Sequence[Explanation], *, whole: bool) -> bool:
    """Print the figures and what is wrong; returns whether all is well."""
    total, noticed = Counter[str](), Counter[str]()
    for name, code in codes.items():
        module = function_of(name).rpartition(".")[0]
        total[module] += 1
        noticed[module] += code in NOTICED
    for module, count in sorted(total.items()):
        print(f"{noticed[module]:5} of {count:5}  {100 * noticed[module] / count:5.1f} %  {module}")
    share = noticed.total() / max(1, total.total())
    print(f"{noticed.total():5} of {total.total():5}  {100 * share:5.1f} %  noticed; {len(found)} survive")
    unexplained = [survivor for survivor in found if not any(entry.fits(survivor) for entry in known)]
    for survivor in unexplained:
        print(f"\nNo test notices this, and survivors.toml gives no reason: {survivor.function}\n{survivor.change}")
    stale = [entry for entry in known if whole and not any(map(entry.fits, found))]
    for entry in stale:
        print(f"\nNo survivor fits this entry of survivors.toml any more: {entry.function}, {entry.change}")
    if share < LEAST_KILLED:
        print(f"\nFewer than {100 * LEAST_KILLED:.0f} % of the mutants are noticed.")
    return bool(total) and share >= LEAST_KILLED and not unexplained and not stale


def main() -> int:
    """Make, run and judge the mutants; 0 when all is well."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", help='patterns of mutants, such as "review_copilot.compare.*"; default: all')
    parser.add_argument("--again", action="store_true", help="keep what an earlier run found, and go on with the rest")
    parser.add_argument("--survivors", action="store_true", help="try again those that survived an earlier run")
    parser.add_argument("--judge", action="store_true", help="run nothing; judge what an earlier run found")
    parser.add_argument("--children", type=int, default=max(1, (os.cpu_count() or 2) - 1), help="processes at once")
    asked = parser.parse_args()
    if asked.survivors:
        mutate([name for name, code in results(asked.only).items() if code not in NOTICED], children=asked.children)
    elif not asked.judge:
        stage(anew=not asked.again)
        mutate(asked.only, children=asked.children)
    codes = results(asked.only)
    found = survivors(name for name, code in codes.items() if code not in NOTICED)
    return 0 if report(codes, found, explanations(), whole=not asked.only) else 1


if __name__ == "__main__":
    sys.exit(main())
