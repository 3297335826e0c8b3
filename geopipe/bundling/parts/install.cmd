@echo off
rem Installs geopipe for the user who runs it: no administrator, no compiler, no internet.
rem   install.cmd             into %LOCALAPPDATA%\geopipe
rem   install.cmd D:\geopipe  into another folder
setlocal EnableExtensions DisableDelayedExpansion
chcp 65001 >nul
set "HERE=%~dp0"
set "TARGET=%LOCALAPPDATA%\geopipe"
if not "%~1"=="" set "TARGET=%~f1"
set "NEW=%TARGET%\venv-new"
rem What other programs have set for their own Python must not reach this one.
set "PYTHONHOME="
set "PYTHONPATH="
set "PYTHONSTARTUP="
set "PYTHONUTF8=1"
set "PIP_CONFIG_FILE=nul"
set "PIP_REQUIRE_VIRTUALENV="
set "PIP_TARGET="
set "PIP_PREFIX="
set "PIP_USER="
rem The launcher must not fetch a Python that is not here.
set "PYTHON_MANAGER_AUTOMATIC_INSTALL=0"
set "PYLAUNCHER_ALLOW_INSTALL="

if not exist "%HERE%wheels\" goto not_unpacked
if not exist "%HERE%requirements.txt" goto not_unpacked

set "FOUND="
for %%V in (@PYTHONS@) do if not defined FOUND call :try py -%%V
if not defined FOUND call :try python
if not defined FOUND goto no_python

echo.
echo geopipe @VERSION@ is being installed into
echo   "%TARGET%"
echo This takes a few minutes. Nothing is fetched from the internet.
echo.
if not exist "%TARGET%\" mkdir "%TARGET%"
if not exist "%TARGET%\" goto no_target
if exist "%NEW%\" rmdir /s /q "%NEW%"
%FOUND% -m venv "%NEW%"
if errorlevel 1 goto no_venv
echo Checking and unpacking the libraries...
"%NEW%\Scripts\python.exe" -m pip install --quiet --no-index --find-links "%HERE%wheels" --require-hashes --only-binary :all: --no-cache-dir --disable-pip-version-check -r "%HERE%requirements.txt"
if errorlevel 1 goto no_install

echo Trying it on a small demo...
if exist "%TARGET%\proof\" rmdir /s /q "%TARGET%\proof"
"%NEW%\Scripts\python.exe" -c "import geopipe.runtime; import fiona, rtree, typst"
if errorlevel 1 goto no_proof
"%NEW%\Scripts\python.exe" -m geopipe demo "%TARGET%\proof\demo" --size 200 --quiet
if errorlevel 1 goto no_proof
"%NEW%\Scripts\python.exe" -m geopipe compare "%TARGET%\proof\demo" -o "%TARGET%\proof\out" --quiet
set "CODE=%ERRORLEVEL%"
if not "%CODE%"=="0" if not "%CODE%"=="4" goto no_proof
rmdir /s /q "%TARGET%\proof"

rem The old one goes only now that the new one works.
if exist "%TARGET%\venv-old\" rmdir /s /q "%TARGET%\venv-old"
if exist "%TARGET%\venv\" ren "%TARGET%\venv" venv-old
if exist "%TARGET%\venv\" goto in_use
ren "%NEW%" venv
if not exist "%TARGET%\venv\" goto in_use
if exist "%TARGET%\venv-old\" rmdir /s /q "%TARGET%\venv-old"
for %%F in (compare.cmd nightly.cmd README.txt) do copy /y "%HERE%%%F" "%TARGET%\%%F" >nul

echo.
echo geopipe @VERSION@ is installed and works.
echo Drag files or a folder onto compare.cmd. You can copy compare.cmd to your desktop.
call :wait
exit /b 0

:try
%* "%HERE%check_python.py" >nul 2>nul
if not errorlevel 1 set "FOUND=%*"
exit /b 0

:wait
if not defined GEOPIPE_NO_PAUSE pause
exit /b 0

:not_unpacked
echo The folder "wheels" is not beside install.cmd.
echo Unpack the whole ZIP first: right click on it, then Extract All.
call :wait
exit /b 2

:no_python
echo geopipe needs Python @PYTHONS@ of 64 bits. What this computer has:
py "%HERE%check_python.py" 2>nul
python "%HERE%check_python.py" 2>nul
echo If no line stands above, there is no Python at all.
echo Get the Windows installer (64-bit) from python.org, choose Install Now, and run install.cmd again.
echo No administrator is needed.
call :wait
exit /b 2

:no_target
echo The folder "%TARGET%" cannot be made. Name another: install.cmd D:\geopipe
call :wait
exit /b 2

:no_venv
echo Python could not prepare the folder "%NEW%". Is the disk full? About 1 GB is needed.
call :wait
exit /b 1

:no_install
echo The libraries could not be installed; the lines above say why.
echo If a hash does not match, the ZIP is damaged: get it again, and unpack it again.
echo An earlier geopipe is still as it was.
call :wait
exit /b 1

:no_proof
echo geopipe was installed but does not work here; the lines above say why. Please send them to us.
echo An earlier geopipe is still as it was.
call :wait
exit /b 1

:in_use
echo The earlier geopipe is at work. Close its windows, and run install.cmd again.
call :wait
exit /b 75
