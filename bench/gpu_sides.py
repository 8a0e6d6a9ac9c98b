"""The two sides that bench/gpu measures: smoothlab, as its command is run, and PyTorch in a process beside it."""
import json
import os
import pathlib
import re
import shutil
import signal
import statistics
import subprocess
import time

PEERS = pathlib.Path(__file__).resolve().parent / "peers"

# How smoothlab is asked for several runs in one process. One that does not know the option is not measured.
PACKED_OPTION = "--each"
# smoothlab's exit code where the machine, or the build, lacks something.
ENVIRONMENT = 4
# A key of metrics.jsonl with the seconds of a line's steps that the host spent outside waiting, where there is one.
HOST_KEY = "host_seconds"


class Missing(Exception):
    """What this machine lacks for a row."""


class Failed(Exception):
    """Something that is there and did not work."""


class Scratch:
    """A temporary folder and the processes that use it; nothing of either is left."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.children = []
        # Compilers' caches that somebody keeps save their time, and are left as they are.
        self.environment = {
            "TORCHINDUCTOR_CACHE_DIR": str(self.folder / "inductor"), "TRITON_CACHE_DIR": str(self.folder / "triton"),
            **os.environ, "PYTHONDONTWRITEBYTECODE": "1", "TMPDIR": str(self.folder),
            "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        }

    def start(self, command, **how):
        """A process in a group of its own, so that Ctrl-C reaches it only through close()."""
        child = subprocess.Popen([str(word) for word in command], env=self.environment, start_new_session=True, **how)
        self.children.append(child)
        return child

    def stop(self, child):
        # Also where the leader is gone: compilers that it started may not be.
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        child.wait()
        for pipe in (child.stdin, child.stdout, child.stderr):
            if pipe:
                pipe.close()
        self.children.remove(child)

    def output(self, command, seconds=600):
        child = self.start(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            out, err = child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Failed(f"no answer in {seconds} s") from None
        finally:
            self.stop(child)
        if child.returncode:
            raise Failed(last_words(err) or f"exit code {child.returncode}")
        return out

    def close(self):
        for child in list(self.children):
            self.stop(child)
        shutil.rmtree(self.folder, ignore_errors=True)


def last_words(text):
    """The error of what a program said, without its mark."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("error: ")]
    return re.sub(r"^error: ", "", (errors or lines or [""])[-1])


def nvidia_smi(query):
    """What it says of the first visible GPU, without units; empty where it says nothing."""
    device = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    try:
        return subprocess.run(["nvidia-smi", "-i", device, f"--query-gpu={query}", "--format=csv,noheader,nounits"],
                              capture_output=True, text=True, timeout=60, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def held_by(pid):
    """MiB that a process holds on GPUs; None where nothing says. Allocators keep what they once took, so that the end
    of a measurement shows its most."""
    try:
        said = subprocess.run(["nvidia-smi", "--query-compute-apps=pid,used_memory", "--format=csv,noheader,nounits"],
                              capture_output=True, text=True, timeout=60, check=True).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    held = [words[1].strip() for words in (line.split(",") for line in said.splitlines())
            if len(words) == 2 and words[0].strip() == str(pid)]
    return sum(int(value) for value in held) if held and all(value.isdigit() for value in held) else None


def on_processor(pid):
    """Seconds that the main thread of a process has run; None where the system does not count them."""
    try:
        return int(pathlib.Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9
    except (OSError, ValueError, IndexError):
        return None


class MetricsFile:
    """The training lines of a metrics.jsonl that grows."""

    def __init__(self, path):
        self.path, self.read, self.lines = path, 0, []

    def poll(self):
        if self.path.exists():
            with open(self.path, "rb") as file:
                file.seek(self.read)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self.read += len(whole)
            for line in whole.splitlines():
                values = json.loads(line)
                if "samples_per_second" in values:
                    self.lines.append(values)


class Smoothlab:
    """Runs of `smoothlab train`, each a new process that is stopped once it has been watched for long enough."""

    def __init__(self, program, scratch, recipe, device, batch, seconds, packed=0):
        self.program, self.scratch, self.device, self.batch, self.seconds = program, scratch, device, batch, seconds
        self.packed, self.warm_seconds = packed, min(2.0, seconds)
        if not (program.is_file() and os.access(program, os.X_OK)):
            raise Missing(f"no program {os.path.relpath(program)}; build it or name it with SMOOTHLAB_PROGRAM")
        if packed:
            if not re.search(re.escape(PACKED_OPTION) + r"\b", scratch.output([program, "train", "--help"])):
                raise Missing(f"this smoothlab has no {PACKED_OPTION}")
        self.recipe = scratch.folder / f"recipe-{time.monotonic_ns()}.yaml"
        self.recipe.write_text(recipe)
        said = scratch.output([program, "train", self.recipe, "--dry-run", "--json", "--set", "train.device=cpu"])
        self.parameters = json.loads(said)["parameters"]

    def measure(self):
        folder = self.scratch.folder / f"run-{time.monotonic_ns()}"
        said = folder.with_suffix(".txt")
        command = [self.program, "train", self.recipe, "--run", folder, "--set", f"train.device={self.device}"]
        if self.packed:
            command += [PACKED_OPTION, "train.seed=" + ",".join(str(1 + run) for run in range(int(self.packed)))]
        with open(said, "wb") as file:
            child = self.scratch.start(command, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        try:
            found = self.watch(child, folder, said)
            found["held_mib"] = held_by(child.pid)
            os.kill(child.pid, signal.SIGINT)
            child.wait(timeout=120)
            return found
        except subprocess.TimeoutExpired:
            raise Failed("did not stop within 120 s of Ctrl-C") from None
        finally:
            self.scratch.stop(child)
            shutil.rmtree(folder, ignore_errors=True)
            said.unlink()

    def watch(self, child, folder, said):
        """Waits for lines of metrics of every run: warm-up first, then those that count."""
        files, counted, start, begun = {}, [], None, time.monotonic()
        wanted = max(1, self.packed)
        while True:
            time.sleep(0.02)
            if child.poll() is not None:
                why = last_words(said.read_text(errors="replace")) or f"exit code {child.returncode}"
                raise Missing(why) if child.returncode == ENVIRONMENT else Failed(why)
            if time.monotonic() - begun > 900:
                raise Failed("no lines of metrics in 900 s")
            for path in folder.rglob("metrics.jsonl"):
                files.setdefault(path, MetricsFile(path)).poll()
            now, lines = time.monotonic(), [file.lines for file in files.values()]
            if len(files) < wanted or min(len(own) for own in lines) < 3:
                start = now
            elif not counted:
                if now - start >= self.warm_seconds:
                    counted, measured_from, used = [len(own) for own in lines], now, on_processor(child.pid)
            elif now - measured_from >= self.seconds and all(len(o) >= c + 3 for o, c in zip(lines, counted)):
                break
        fresh = [own[c:] for own, c in zip(lines, counted)]
        rate = sum(statistics.median(line["samples_per_second"] for line in own) for own in fresh)
        found = {"images_per_second": rate, "host_share": None, "host_is_bound": False}
        if all(HOST_KEY in line for own in fresh for line in own):
            spent = sum(line[HOST_KEY] for own in fresh for line in own)
            found["host_share"] = spent / (fresh[0][-1]["seconds"] - lines[0][counted[0] - 1]["seconds"])
        else:
            now_used = on_processor(child.pid)
            if used is not None and now_used is not None:
                found["host_share"] = min(1.0, (now_used - used) / (time.monotonic() - measured_from))
                found["host_is_bound"] = True
        return found

    def close(self):
        self.recipe.unlink()


class Peer:
    """One variant of PyTorch with its fastest settings, warm and waiting between measurements."""

    def __init__(self, python, scratch, arguments, chosen, say):
        """chosen: what an earlier one found, or None: settings are tried now."""
        self.scratch = scratch
        self.said = scratch.folder / f"peer-{time.monotonic_ns()}.txt"
        command = [python, PEERS / "torch_step.py", *arguments]
        self.chosen = chosen or json.loads(scratch.output([*command, "--choose"], seconds=3600))
        for trial in self.chosen["tried"]:
            say("  tried " + ", ".join(f"{name} {value:.0f}" if isinstance(value, float) else f"{name} {value}"
                                       for name, value in trial.items()))
        self.words = ", ".join(self.chosen["words"])
        self.parameters = None
        with open(self.said, "wb") as file:
            self.child = scratch.start([*command, "--settings", json.dumps(self.chosen["settings"])], text=True,
                                       stderr=file, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def wait(self):
        """Until it is warm."""
        if self.parameters is not None:
            return
        about = self.answer()
        self.parameters, self.multiply_adds = about["parameters"], about["multiply_adds"]

    def answer(self):
        line = self.child.stdout.readline()
        if not line:
            raise Failed(last_words(self.said.read_text(errors="replace")) or "PyTorch ended without a word")
        return json.loads(line)

    def measure(self):
        try:
            self.child.stdin.write("measure\n")
            self.child.stdin.flush()
        except BrokenPipeError:
            pass  # answer() tells why
        return {**self.answer(), "held_mib": held_by(self.child.pid), "host_is_bound": False}

    def close(self):
        self.scratch.stop(self.child)
        self.said.unlink()
