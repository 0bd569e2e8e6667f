# Sourced by the scripts beside it: makes .venv and installs onprem into it, once per change of
# pyproject.toml or constraints.txt. Needs nothing but Python >= 3.11 with venv.

cd "$(dirname "${BASH_SOURCE[0]}")/.."

find_python() {
    local candidate
    for candidate in python3 python3.13 python3.12 python3.11; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    echo "onprem needs Python 3.11, 3.12 or 3.13 on the PATH." >&2
    return 1
}

# ensure_environment EXTRAS: EXTRAS is "" or "[test,check]".
ensure_environment() {
    local extras=$1 python stamp
    stamp=".venv/installed-$(cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)-$extras"
    [[ -e $stamp ]] && return
    if [[ ! -x .venv/bin/python ]]; then
        python=$(find_python)
        if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            echo "Python's venv module is missing: install the package python3-venv." >&2
            return 1
        fi
        "$python" -m venv .venv
    fi
    echo "Installing onprem and its packages into .venv: about 0.7 GB to download where pip finds a" >&2
    echo "CPU build of torch, about 4 GB where it takes the default build with CUDA." >&2
    PIP_CONSTRAINT=constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 \
        .venv/bin/python -m pip install torch==2.13.0 --editable ".$extras" 2>&1 |
        tee .venv/install.log | show_install >&2 || {
        tail -n 20 .venv/install.log >&2
        return 1
    }
    touch "$stamp"
}

# show_install: pip's downloads, one line that is written over, or a line each for a log.
show_install() {
    local line start=$SECONDS clear='' end=$'\n'
    if [[ -t 2 ]]; then clear=$'\033[K' end=$'\r'; fi
    while IFS= read -r line; do
        case $line in
            *Downloading*MB* | Processing* | "Installing collected"*)
                printf '%s%4d s  %.90s%s' "$clear" $((SECONDS - start)) "${line##*( )}" "$end"
                ;;
        esac
    done
    printf '%s%4d s  installed\n' "$clear" $((SECONDS - start))
}

# fetch_models: the starter models into .models; quick where they are.
fetch_models() {
    ONPREM_MODELS__DIR=$PWD/.models .venv/bin/onprem models fetch starter --config config.example.toml >&2
}
