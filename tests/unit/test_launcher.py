"""./releve: one environment made once, whatever interrupts it, from any folder; the installer is a stand-in."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

LAUNCHER = Path(__file__).parents[2] / "releve"

# Does what uv does, as far as the launcher can tell, and writes down what it was asked.
UV = f"""#!/bin/sh
echo "$*" >>"$JOURNAL"
case "$*" in
    venv*) shift $(($# - 1)); mkdir -p "$1/bin"
        printf '#!/bin/sh\\nexec "%s" "$@"\\n' "{sys.executable}" >"$1/bin/python"; chmod +x "$1/bin/python" ;;
    *--editable*) shift $(($# - 1)); cat >"$1/.venv/bin/releve" <<'END'
#!/bin/sh
printf '%s\\n' "releve $#" "$@"
END
        chmod +x "$1/.venv/bin/releve" ;;
    *--require-hashes*) if [ -e "$JOURNAL.slow" ]; then exec sleep 60; fi; [ ! -e "$JOURNAL.fail" ] ;;
esac
"""


class Clone:
    """A checkout with the launcher and locks, and a PATH with the stand-in."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "a clone with spaces"
        self.root.mkdir()
        shutil.copy(LAUNCHER, self.root)
        for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock"):
            (self.root / name).write_text(name)
        (self.root / "src").mkdir()
        (self.root / "src" / "ours.py").touch()
        self.journal = folder / "journal"
        self.journal.touch()
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.add_program("uv", UV)
        self.add_program("python3.11", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')

    def add_program(self, name: str, text: str) -> None:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)

    def popen(self, *arguments: str, launcher: Path | None = None, **options) -> subprocess.Popen[str]:
        surroundings = {
            "PATH": f"{self.bin}:/usr/bin:/bin",
            "JOURNAL": str(self.journal),
            "PYTHONDONTWRITEBYTECODE": "1",  # as images of containers often say
        }
        return subprocess.Popen(
            ["/bin/sh", str(launcher or self.root / "releve"), *arguments],
            env=surroundings,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: str, **options) -> str:
        with self.popen(*arguments, **options) as process:
            output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        return output

    def fails(self, *arguments: str) -> str:
        with self.popen(*arguments) as process:
            _, errors = process.communicate(timeout=60)
        assert process.returncode == 1
        return errors

    def installations(self) -> int:
        return self.journal.read_text().count("--require-hashes")

    def makings(self) -> int:
        return self.journal.read_text().count("venv --")


@pytest.fixture
def clone(tmp_path) -> Clone:
    return Clone(tmp_path)


def test_the_first_use_installs_and_the_next_ones_only_hand_over(clone):
    first = clone.run("up", "--data-dir", "my data")
    second = clone.run()

    assert first == "releve 3\nup\n--data-dir\nmy data\n"
    assert second == "releve 0\n"
    assert (clone.makings(), clone.installations()) == (1, 1)


def test_it_installs_with_hashes_and_itself_without_looking_for_dependencies(clone):
    clone.run()

    _, locked, itself = clone.journal.read_text().splitlines()
    assert locked.endswith(f"--require-hashes -r {clone.root}/requirements.lock")
    assert itself.endswith(f"--no-deps --no-build-isolation --editable {clone.root}")


def test_nothing_is_compiled_again_at_each_start_even_where_python_may_not_write(clone):
    clone.run()

    _, locked, itself = clone.journal.read_text().splitlines()
    assert "--compile-bytecode" in locked
    assert "--compile-bytecode" in itself
    assert list((clone.root / "src" / "__pycache__").glob("ours.*.pyc"))


def test_a_changed_lock_installs_again_into_the_same_environment(clone):
    clone.run()
    (clone.root / "requirements.lock").write_text("changed")

    clone.run()

    assert (clone.makings(), clone.installations()) == (1, 2)


def test_first_uses_side_by_side_install_once(clone):
    processes = [clone.popen("side by side") for _ in range(4)]

    outputs = [process.communicate(timeout=60)[0] for process in processes]

    assert outputs == ["releve 1\nside by side\n"] * 4
    assert clone.installations() == 1


def test_an_interrupted_installation_starts_over(clone):
    slow = Path(f"{clone.journal}.slow")
    slow.touch()
    with clone.popen(start_new_session=True) as process:
        wait_for(lambda: clone.installations() == 1)
        os.killpg(process.pid, signal.SIGKILL)
    slow.unlink()

    assert clone.run() == "releve 0\n"
    assert clone.makings() == 2


def test_a_failed_installation_says_where_to_look_and_is_repeated(clone):
    failing = Path(f"{clone.journal}.fail")
    failing.touch()

    errors = clone.fails()
    failing.unlink()

    assert "the whole story is in" in errors
    assert clone.run() == "releve 0\n"
    assert clone.makings() == 1


def test_a_folder_that_was_moved_gets_a_new_environment(clone):
    clone.run()
    clone.root = clone.root.rename(clone.root.with_name("moved"))

    clone.run()

    assert clone.makings() == 2


def test_it_works_through_a_link_to_it(clone, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(clone.root / "releve")

    assert clone.run("through", launcher=link) == "releve 1\nthrough\n"


def test_tests_bring_their_own_lock_and_serve_the_command_too(clone):
    apt = clone.journal.with_name("apt")
    clone.add_program("apt-get", f'#!/bin/sh\ntouch "{apt}"\n')

    assert "pytest" in clone.run("test", "--version")
    assert "requirements-test.lock" in clone.journal.read_text()
    assert not apt.exists()  # a browser and a broker are installed by the first test that needs them
    clone.run("up")
    assert clone.installations() == 1


@pytest.mark.parametrize(
    ("arguments", "is_spread"),
    [
        ([], True),
        (["--quick", "-k", "uptime"], True),
        (["-n", "3"], False),
        (["-n0"], False),
        (["--numprocesses=1"], False),
        (["-x", "--pdb"], False),
    ],
)
def test_tests_run_on_every_core_unless_the_arguments_say_otherwise(clone, arguments, is_spread):
    clone.run("test", "--version")
    python = clone.root / ".venv" / "bin" / "python"
    python.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")

    words = clone.run("test", *arguments).splitlines()

    chosen = words[2 : len(words) - len(arguments)]
    assert words == ["-m", "pytest", *chosen, *arguments]
    assert ("--numprocesses=auto" in chosen) == is_spread
    assert bool(chosen) == is_spread


def test_without_a_suitable_python_it_says_what_to_install(clone):
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        clone.add_program(name, "#!/bin/sh\nexit 1\n")

    assert "needs Python 3.11 or newer" in clone.fails()


def test_without_the_venv_module_it_names_the_package(clone):
    (clone.bin / "uv").unlink()
    script = f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec "{sys.executable}" "$@"\n'
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        clone.add_program(name, script)

    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    assert f"apt-get install {version}-venv" in clone.fails()


def wait_for(condition) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
