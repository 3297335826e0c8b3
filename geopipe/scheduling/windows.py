"""A task for the Task Scheduler of Windows."""

from __future__ import annotations

import subprocess
from xml.sax.saxutils import escape

from geopipe.scheduling.schedule import NAME, Nightly, Printed

_TASK = """\
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>geopipe every night</Description></RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2020-01-01T{at}:00</StartBoundary>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>
  </Triggers>
  <Principals>
    <Principal id="Author">
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT12H</ExecutionTimeLimit>
    <Priority>7</Priority>
  </Settings>
  <Actions Context="Author">
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
      <WorkingDirectory>{folder}</WorkingDirectory>
    </Exec>
  </Actions>
</Task>
"""


def windows(nightly: Nightly) -> Printed:
    """Return the task as XML: `schtasks /TR` takes no more than 261 signs, and no quotes inside quotes."""
    program, *words = nightly.command
    task = _TASK.format(
        at=nightly.at,
        program=_text(program),
        arguments=_text(subprocess.list2cmdline(words)),
        folder=_text(str(nightly.config.parent)),
    )
    file = f"{NAME}.xml"
    return Printed(
        {file: task},
        (
            f"geopipe install-schedule --print windows CONFIG > {file}   (what you have just done)",
            f'schtasks /Create /TN "{NAME}" /XML {file}',
            f'schtasks /Run /TN "{NAME}"   (once, to see that it works)',
            f'schtasks /Query /TN "{NAME}" /V /FO LIST   (Last Result 4 or 5: done, look at it)',
            "It runs while you are logged on, also behind a locked screen. No administrator is needed.",
        ),
    )


def _text(text: str) -> str:
    """Return text for XML in plain ASCII, so that no console and no > can spoil Lao names."""
    return escape(text).encode("ascii", "xmlcharrefreplace").decode("ascii")
