@echo off
rem Drag files or a folder onto this file: what overlaps is written beside the first of them.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONHOME="
set "PYTHONPATH="
set "PYTHONSTARTUP="
set "PYTHONUTF8=1"
set "PYTHON=%~dp0venv\Scripts\python.exe"
if not exist "%PYTHON%" set "PYTHON=%LOCALAPPDATA%\geopipe\venv\Scripts\python.exe"
if not exist "%PYTHON%" goto not_installed
set "GEOPIPE_SCRIPT=%~nx0"
rem Explorer gives names with & and ^ without quotes, so the whole line is read as it came, not as %%1 and %%2.
setlocal EnableDelayedExpansion
set "GEOPIPE_COMMAND_LINE=!cmdcmdline!"
set "DROPPED=1"
if "!cmdcmdline:%~n0=!"=="!cmdcmdline!" set "DROPPED="
if defined DROPPED goto dropped
endlocal
"%PYTHON%" -m geopipe.cli.dropping %*
exit /b %ERRORLEVEL%

:dropped
"!PYTHON!" -m geopipe.cli.dropping
set "CODE=!ERRORLEVEL!"
if not defined GEOPIPE_NO_PAUSE pause
rem Not exit /b: behind an & cmd would go on with what is only a part of a name.
exit !CODE!

:not_installed
echo geopipe is not installed for this user. Run install.cmd from the unpacked ZIP first.
if not defined GEOPIPE_NO_PAUSE pause
exit 2
