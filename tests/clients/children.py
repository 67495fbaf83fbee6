"""Child processes: started in a group of their own, read line by line, always bounded and stopped by id."""

import os
import queue
import signal
import subprocess
import threading
import time

KEPT_LINES = 40


class Child:
    """A running program whose output lines wait in a queue.

    A thread reads the output, so that a chatty child never blocks on a full pipe. The whole process
    group is stopped at the end: clients such as `mcp-remote` start processes of their own.
    """

    def __init__(self, command, environment, folder, merge_stderr=False):
        self._errors = open(os.path.join(folder, f"stderr-{time.monotonic_ns()}"), "w+b")
        self._process = subprocess.Popen(
            command,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merge_stderr else self._errors,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self.lines = queue.Queue()
        self._kept = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._kept = [*self._kept[1 - KEPT_LINES :], line.rstrip()]
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def next_line(self, deadline):
        """The next line of output, or None at its end. Raises TimeoutError at the deadline (monotonic)."""
        try:
            line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise TimeoutError from None
        if line is None:
            self.lines.put(None)  # The end stays the end, however often it is asked for.
        return line

    def tail(self):
        """The last lines of output and of the error stream, to explain a failure."""
        self._errors.seek(0)
        errors = self._errors.read().decode(errors="replace").splitlines()
        return "\n".join([*self._kept, *errors[-KEPT_LINES:]])

    def stop(self):
        """Asks the group to end, and insists after five seconds."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, number)
            except ProcessLookupError:
                break
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                continue
        self._process.wait(timeout=5)
        self._errors.close()


def output_of(command, environment, seconds=30):
    """Runs a command to its end and gives what it printed. Raises RuntimeError with its words if it fails."""
    try:
        ended = subprocess.run(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"`{' '.join(command)}` did not end within {seconds} s") from None
    if ended.returncode != 0:
        words = (ended.stderr or ended.stdout).strip()
        raise RuntimeError(f"`{' '.join(command)}` failed ({ended.returncode}): {words}")
    return ended.stdout
