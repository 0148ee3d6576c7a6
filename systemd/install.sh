#!/bin/sh
# Puts Vitrine and its service in place, or takes them away (--remove). Run by `make install-service`; safe to run again.
#
#   PREFIX=/opt/vitrine    the program, in a Python environment of its own
#   STUDIO=/srv/vitrine    the studio folder that the service watches
#   PYTHON=python3         the Python to build upon; it must not lie in anybody's home
#   GPU=no                 yes: the service may use an NVIDIA card
#   TORCH=$GPU             yes: with torch, for painted backgrounds, enlarging and captions (gigabytes)
#   INSTAGRAM=no           yes: with what the unofficial way to Instagram needs
#   PROGRAM=yes            no: the service's files only
#   DESTDIR=               another root to install into (for packages and tests); nothing on this machine is touched then
set -eu
cd "$(dirname "$0")/.."
PREFIX=${PREFIX:-/opt/vitrine} STUDIO=${STUDIO:-/srv/vitrine} PYTHON=${PYTHON:-python3} DESTDIR=${DESTDIR:-}
GPU=${GPU:-no} TORCH=${TORCH:-${GPU:-no}} PROGRAM=${PROGRAM:-yes} INSTAGRAM=${INSTAGRAM:-no}
program=$DESTDIR$PREFIX
units=$DESTDIR/etc/systemd/system

fail() { echo "$1" >&2; exit 1; }

live() { [ -z "$DESTDIR" ] && [ -d /run/systemd/system ]; }  # whether systemd runs here and should hear of it

check() {
    case $PREFIX$STUDIO in *[!A-Za-z0-9/._-]*) fail "PREFIX and STUDIO: only letters, digits, / . _ and -" ;; esac
    case $PREFIX in /*) ;; *) fail "PREFIX must begin with /" ;; esac
    case $STUDIO in /*) ;; *) fail "STUDIO must begin with /" ;; esac
    [ "$PROGRAM" != yes ] || check_python
    mkdir -p "$program" "$units" 2>/dev/null || fail "$program or $units cannot be made: run this as root (sudo make install-service)"
}

check_python() {
    home=$("$PYTHON" -c 'import os, sys; print(os.path.realpath(sys.executable))') || fail "$PYTHON does not run"
    case $home in
    /root/* | /home/*)
        [ -n "$DESTDIR" ] || fail "$home lies in a home folder, which the service cannot see. Use another: make install-service PYTHON=/usr/bin/python3" ;;
    esac
}

install_program() {
    "$PYTHON" -m venv "$program"
    lock=requirements.lock
    [ "$INSTAGRAM" != yes ] || lock=requirements-instagram.lock
    locks=$lock
    [ "$TORCH" != yes ] || locks="requirements-diffusion.lock $lock"  # one after the other: where both name a version, the last wins
    for lock in $locks; do
        "$program/bin/python" -m pip install --quiet --disable-pip-version-check -r "$lock"
    done
    "$program/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps .
    if [ -n "$DESTDIR" ]; then  # the scripts must name the place where they will be, not where they were made
        find "$program/bin" -maxdepth 1 -type f -exec sed -i "s|$DESTDIR$PREFIX|$PREFIX|g" {} +
        sed -i "s|$DESTDIR$PREFIX|$PREFIX|g" "$program/pyvenv.cfg"
    fi
}

put() {  # put FROM TO: with the places as they were asked for
    mkdir -p "$(dirname "$2")"
    sed -e "s|/opt/vitrine|$PREFIX|g" -e "s|/srv/vitrine|$STUDIO|g" "$1" >"$2.new"
    chmod 0644 "$2.new"
    mv "$2.new" "$2"
}

install_units() {
    put systemd/vitrine.service "$units/vitrine.service"
    put systemd/vitrine-publish.service "$units/vitrine-publish.service"
    put systemd/vitrine.sysusers "$DESTDIR/etc/sysusers.d/vitrine.conf"
    put systemd/vitrine.tmpfiles "$DESTDIR/etc/tmpfiles.d/vitrine.conf"
    put systemd/environment.example "$DESTDIR/etc/vitrine/environment.example"
    [ -e "$DESTDIR/etc/vitrine/environment" ] || put systemd/environment.example "$DESTDIR/etc/vitrine/environment"
    if [ "$GPU" = yes ]; then
        put systemd/vitrine-gpu.conf "$units/vitrine.service.d/gpu.conf"
    else
        rm -f "$units/vitrine.service.d/gpu.conf"
        rmdir "$units/vitrine.service.d" 2>/dev/null || true
    fi
    if live; then
        systemd-sysusers /etc/sysusers.d/vitrine.conf
        systemd-tmpfiles --create /etc/tmpfiles.d/vitrine.conf
        systemctl daemon-reload
        systemctl try-restart vitrine.service vitrine-publish.service
    fi
}

remove() {
    if live; then
        systemctl disable --now vitrine.service vitrine-publish.service 2>/dev/null || true
    fi
    rm -f "$units/vitrine.service" "$units/vitrine-publish.service" "$units/vitrine.service.d/gpu.conf"
    rmdir "$units/vitrine.service.d" 2>/dev/null || true
    rm -f "$DESTDIR/etc/sysusers.d/vitrine.conf" "$DESTDIR/etc/tmpfiles.d/vitrine.conf"
    rm -f "$DESTDIR/etc/vitrine/environment.example"
    if [ "$PROGRAM" = yes ] && [ -e "$program/pyvenv.cfg" ] && [ -e "$program/bin/vitrine" ]; then
        rm -rf "$program"  # only what looks like our own environment
    fi
    if live; then
        systemctl daemon-reload
    fi
    echo "The service is gone. Kept: the studio $STUDIO with all pictures, /etc/vitrine/environment, and the user vitrine."
}

if [ "${1:-}" = --remove ]; then
    remove
    exit
fi
check
[ "$PROGRAM" != yes ] || install_program
install_units
cat <<END
Vitrine is in ${DESTDIR}${PREFIX}, its service in ${units}.
Next: look into /etc/vitrine/environment, let people who drop photos into the group (usermod -aG vitrine NAME), then
  systemctl enable --now vitrine
  $PREFIX/bin/vitrine status --studio $STUDIO
To post on Instagram: see /etc/systemd/system/vitrine-publish.service and [instagram] in $STUDIO/vitrine.toml, then
  systemctl enable --now vitrine-publish
END
