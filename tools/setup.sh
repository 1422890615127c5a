#!/usr/bin/env bash
# Everything `make demo` (run), `make lint`, `make test` and `make model` need, installed once; a second run takes no time.
#   tools/setup.sh run|lint|test|model
# As root or with sudo it installs Debian's packages itself; a plain user is told the one line to have run.
set -euo pipefail
cd "$(dirname "$0")/.."
what="${1:-run}"

say() { printf 'setup: %s\n' "$*" >&2; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# --- system packages -------------------------------------------------------------------------------------------
# binary to look for → Debian package
run_packages=(kamailio:kamailio)
test_packages=(sipp:sip-tester chromium:chromium ip:iproute2 openssl:openssl fc-list:fontconfig)
model_packages=(fstconvert:libfst-tools)
openfst_plugins=libfst22-plugins-base
missing=()
want() {
  local pair
  for pair in "$@"; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
}
if [ "$what" = model ]; then
  want "${model_packages[@]}"
  if ! compgen -G '/usr/lib/*/fst/*/ilabel_lookahead-fst.so' >/dev/null; then missing+=("$openfst_plugins"); fi
else
  want "${run_packages[@]}"
fi
if [ "$what" = test ]; then
  want "${test_packages[@]}"
  if ! fc-list :lang=zh 2>/dev/null | grep -q .; then missing+=(fonts-noto-cjk); fi
fi

python=""
for candidate in python3.11 python3.12 python3; do
  if command -v "$candidate" >/dev/null && "$candidate" -c \
      'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
    python="$candidate"; break
  fi
done
if [ -z "$python" ]; then
  missing+=(python3 python3-venv)
elif [ ! -x .venv/bin/python ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=("$("$python" -c 'import sys; print("python3.%d-venv" % sys.version_info[1])')")
fi

if [ ${#missing[@]} -gt 0 ] && [ "$what" != lint ]; then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if ! command -v apt-get >/dev/null; then
    say "needs these programs, by their Debian names: ${missing[*]}"
  elif [ "$(id -u)" = 0 ]; then
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && $install -qq >/dev/null; } || die "could not install; run: $install"
  elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || { [ -t 0 ] && sudo -v; }; }; then
    say "installing ${missing[*]} with sudo"
    { sudo apt-get update -qq && sudo env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null; } ||
      die "could not install; run: sudo $install"
  else
    say "system packages are missing; have an administrator run this line:"
    printf 'sudo apt-get update && sudo %s\n' "$install" >&2
    case "$what" in test) die "the tests need them all" ;; model) die "the recipe needs them" ;; esac
    case " ${missing[*]} " in *" python3"*) die "without Python nothing starts" ;; esac
    say "going on in direct mode, without Kamailio (for a try-out)"
  fi
  # what was just installed may include Python itself
  if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3; do
      command -v "$candidate" >/dev/null && "$candidate" -c \
        'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null &&
        { python="$candidate"; break; }
    done
  fi
fi
[ -n "$python" ] || die "needs Python 3.11 or 3.12 (pjsua2's wheel has no other); found $(python3 -V 2>&1 || echo none)"

[ "$what" != model ] || exit 0  # its packages have an environment of their own, see models/model.mk

# --- Python packages, locked with hashes -----------------------------------------------------------------------
case "$what" in run) lock=run ;; *) lock=test ;; esac
[ -x .venv/bin/python ] || { say "making .venv with $("$python" -V)"; "$python" -m venv .venv; }
wanted="$(cat requirements/build.txt "requirements/$lock.txt" pyproject.toml | sha256sum | cut -d' ' -f1) $lock"
have="$(cat .venv/.installed 2>/dev/null || true)"
test_wanted="$(cat requirements/build.txt requirements/test.txt pyproject.toml | sha256sum | cut -d' ' -f1) test"
if [ "$have" != "$wanted" ] && [ "$have" != "$test_wanted" ]; then
  say "installing Python packages (requirements/$lock.txt)"
  pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check)
  "${pip[@]}" --require-hashes -r requirements/build.txt
  "${pip[@]}" --require-hashes --no-build-isolation -r "requirements/$lock.txt"
  "${pip[@]}" --no-deps --no-build-isolation -e .
  printf '%s\n' "$wanted" > .venv/.installed
fi
