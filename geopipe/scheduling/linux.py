"""A service and a timer of systemd, and a line for cron."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import PurePath

from geopipe.errors import ExitCode
from geopipe.scheduling.schedule import NAME, Nightly, Printed

_NICE = 10
# Something was left out, or was found: the night is done all the same, and the digest says so.
_DONE_TOO = (ExitCode.PARTIAL, ExitCode.FINDINGS)

_SERVICE = """\
[Unit]
Description=geopipe, the nightly run of {title}
After=network.target

[Service]
Type=oneshot
User={user}
ExecStart={command}
SuccessExitStatus={done}
Nice={nice}
IOSchedulingClass=idle
UMask=0027
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={writable}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
CapabilityBoundingSet=
SystemCallArchitectures=native
"""
_TIMER = """\
[Unit]
Description=geopipe every night

[Timer]
OnCalendar=*-*-* {at}:00
Persistent=true

[Install]
WantedBy=timers.target
"""


def systemd(nightly: Nightly) -> Printed:
    """Return the service and its timer."""
    service = _SERVICE.format(
        title=_plain(nightly.config.name),
        user=nightly.user,
        command=" ".join(map(_word, nightly.command)),
        done=" ".join(str(int(code)) for code in _DONE_TOO),
        nice=_NICE,
        writable=" ".join(_path(path) for path in nightly.writable),
    )
    folder = "/etc/systemd/system"
    return Printed(
        {f"{folder}/{NAME}.service": service, f"{folder}/{NAME}.timer": _TIMER.format(at=nightly.at)},
        (
            f"sudo useradd --system {nightly.user}",
            *_made(nightly.writable, nightly.user),
            f"Write the two files into {folder}.",
            "sudo systemctl daemon-reload",
            f"sudo systemctl enable --now {NAME}.timer",
            f"sudo systemctl start {NAME}.service   # once, to see that it works",
            f"journalctl -u {NAME}.service",
        ),
    )


def cron(nightly: Nightly) -> Printed:
    """Return a line for the crontab of a user."""
    hour, minute = nightly.at.split(":")
    command = shlex.join(("nice", "-n", str(_NICE), *nightly.command)).replace("%", r"\%")
    line = f"{int(minute)} {int(hour)} * * * {command}\n"
    return Printed(
        {NAME: line},
        (
            *_made(nightly.writable, nightly.user),
            f"Add the line with: sudo crontab -u {nightly.user} -e",
            "Exit codes 4 and 5 mean: done, with something to look at. cron mails what is printed.",
        ),
    )


def _made(folders: Iterable[PurePath], user: str) -> tuple[str, ...]:
    """Return how the folders that are written into are made."""
    return tuple(f"sudo install -d -o {user} -m 0750 {shlex.quote(str(path))}" for path in folders)


def _plain(text: str) -> str:
    """Return a text in which systemd finds nothing to replace."""
    return text.replace("%", "%%")


def _path(path: PurePath) -> str:
    """Quote a path of a list."""
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{_plain(text)}"'


def _word(word: str) -> str:
    """Quote a word of a command; a dollar would be taken for a variable."""
    text = word.replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return f'"{_plain(text)}"'
