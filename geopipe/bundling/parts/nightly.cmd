@echo off
rem For the Task Scheduler: nightly.cmd "C:\data\nightly.yaml"
rem What it says goes into a file beside the configuration; its exit code is that of geopipe.
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "PYTHONHOME="
set "PYTHONPATH="
set "PYTHONSTARTUP="
set "PYTHONUTF8=1"
if "%~1"=="" goto no_config
set "PYTHON=%~dp0venv\Scripts\python.exe"
if not exist "%PYTHON%" set "PYTHON=%LOCALAPPDATA%\geopipe\venv\Scripts\python.exe"
if not exist "%PYTHON%" goto not_installed
"%PYTHON%" -m geopipe run "%~f1" --nightly >"%~dpn1-last-night.txt" 2>&1
exit /b %ERRORLEVEL%

:no_config
echo Say which configuration: nightly.cmd "C:\data\nightly.yaml"
exit /b 2

:not_installed
echo geopipe is not installed for this user. Run install.cmd from the unpacked ZIP first.
exit /b 2
