#!/usr/bin/env bash
# Run `make demo` and `make test` of the last commit on a bare Debian: python3, python3-venv, make, git,
# ca-certificates and pip, nothing else.
#
#   make fresh                      demo and test
#   tests/fresh_machine.sh test     other make targets
#
# Environment:
#   FRESH_SUITE     Debian release to build (bookworm)
#   FRESH_MIRROR    mirror to build it from (the one apt is set up for on this machine)
#   FRESH_REBUILD   not empty: build the base tree again
#   FRESH_KEEP      not empty: leave the tree there for a look, and say where
#   XDG_CACHE_HOME  holds the base tree, in offhand-fresh/ (~/.cache)
#
# The tree gets this machine's way to the package index (pip configuration, proxies, certificates, name
# resolution), and no package from this machine. All mounts live in a private mount namespace: they end
# with it, before the tree is removed.
set -euo pipefail

suite=${FRESH_SUITE:-bookworm}
packages=python3,python3-venv,make,git,ca-certificates
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/offhand-fresh
tree_home=~root
lookup_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

die() {
    printf 'fresh_machine: %s\n' "$*" >&2
    exit 1
}
say() { printf '== %s\n' "$*"; }

# ---------------------------------------------------------------------------------------------------
# Inside the private namespaces: mount what the tree needs, run one command in it.
# ---------------------------------------------------------------------------------------------------

# enter ROOT COMMAND...: reads ROOT.mounts (host folders to show read-only) and ROOT.environment.
enter() {
    local root=$1 folder node
    shift
    mount -t proc proc "$root/proc"
    mount -t tmpfs -o mode=755,nosuid tmpfs "$root/dev"
    for node in null zero full random urandom tty; do
        : >"$root/dev/$node"
        mount --bind "/dev/$node" "$root/dev/$node"
    done
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
    mkdir "$root/dev/shm"
    mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$root/dev/shm"
    while IFS= read -r folder; do
        mkdir -p "$root$folder"
        mount --bind "$folder" "$root$folder"
        mount -o remount,bind,ro "$root$folder"
    done <"$root.mounts"
    mapfile -t -d '' environment <"$root.environment"
    # This shell stays the first process of the namespace: it collects orphans, which make would not.
    local status=0
    chroot "$root" /usr/bin/env -i "${environment[@]}" "$@" || status=$?
    exit "$status"
}

if [ "${1:-}" = --enter ]; then
    shift
    enter "$@"
fi

# ---------------------------------------------------------------------------------------------------
# The base tree, built once
# ---------------------------------------------------------------------------------------------------

find_mirror() {
    if [ -n "${FRESH_MIRROR:-}" ]; then
        printf '%s\n' "$FRESH_MIRROR"
    elif command -v apt-get >/dev/null; then
        # shellcheck disable=SC2016  # the dollars are apt's
        apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
            awk -v suite="$suite" '$2 == suite && $3 == "main" && $4 == "Packages" { print $1; exit }'
    fi
}

# apt may know a proxy that the environment does not.
apt_proxy() {
    local proxy=
    if [ -z "${http_proxy:-}" ] && command -v apt-config >/dev/null; then
        eval "$(apt-config shell proxy Acquire::http::Proxy)"
        if [ -n "$proxy" ] && [ "$proxy" != DIRECT ]; then
            export http_proxy=$proxy
        fi
    fi
}

build_base() {
    local base=$1 mirror log=$1.log
    mirror=$(find_mirror)
    [ -n "$mirror" ] || die "apt on this machine has no mirror for '$suite': set FRESH_MIRROR"
    say "building the base tree (Debian $suite), once"
    rm -rf --one-file-system "$base.new"
    if ! (apt_proxy && debootstrap --variant=minbase --include="$packages" \
        "$suite" "$base.new" "$mirror") >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        die "debootstrap failed; its log is $log"
    fi
    rm -rf "$base.new"/var/cache/apt/* "$base.new"/var/lib/apt/lists/* \
        "$base.new"/usr/share/{doc,man,locale}/*
    mv "$base.new" "$base"
}

# ---------------------------------------------------------------------------------------------------
# This machine's way to the package index
# ---------------------------------------------------------------------------------------------------

pip_configurations() {
    local folder
    local -a system
    printf '%s\n' /etc/pip.conf
    IFS=: read -r -a system <<<"${XDG_CONFIG_DIRS:-}:/etc/xdg"
    for folder in "${system[@]}"; do
        if [ -n "$folder" ]; then
            printf '%s\n' "$folder/pip/pip.conf"
        fi
    done
    printf '%s\n' "$HOME/.pip/pip.conf" "${XDG_CONFIG_HOME:-$HOME/.config}/pip/pip.conf"
    if [ -n "${PIP_CONFIG_FILE:-}" ]; then
        printf '%s\n' "$PIP_CONFIG_FILE"
    fi
}

# Copy a file or a folder into the tree at its own path; one below the home folder goes to root's.
copy_in() {
    local root=$1 from=$2 to=$2
    if [ "$HOME" != / ]; then
        case $from in "$HOME"/*) to=$tree_home/${from#"$HOME"/} ;; esac
    fi
    mkdir -p "$root$(dirname "$to")"
    cp -RL --remove-destination "$from" "$root$(dirname "$to")/" 2>/dev/null ||
        say "could not copy all of $from"
}

set_up_network() {
    local root=$1 name file value path

    for file in /etc/resolv.conf /etc/hosts; do
        if [ -e "$file" ]; then copy_in "$root" "$file"; fi
    done
    for file in /etc/ssl/certs /usr/local/share/ca-certificates; do
        if [ -d "$file" ]; then copy_in "$root" "$file"; fi
    done

    # What pip and Python read, and nothing else of the environment.
    : >"$root.settings"
    {
        printf '%s\0' "PATH=$lookup_path" "HOME=$tree_home" LANG=C.UTF-8 "TERM=${TERM:-dumb}" \
            DEBIAN_FRONTEND=noninteractive
        while IFS= read -r name; do
            case $name in
                PIP_* | SSL_CERT_FILE | SSL_CERT_DIR | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE | \
                    http_proxy | https_proxy | ftp_proxy | all_proxy | no_proxy | \
                    HTTP_PROXY | HTTPS_PROXY | FTP_PROXY | ALL_PROXY | NO_PROXY)
                    value=${!name}
                    printf '%s\n' "$value" >>"$root.settings"
                    case $value in "$HOME"/*) value=$tree_home/${value#"$HOME"/} ;; esac
                    printf '%s\0' "$name=$value"
                    ;;
            esac
        done < <(compgen -e)
    } >"$root.environment"

    while IFS= read -r file; do
        if [ -f "$file" ]; then
            copy_in "$root" "$file"
            cat "$file" >>"$root.settings"
            echo >>"$root.settings"
        fi
    done < <(pip_configurations)

    # Whatever local path these settings name: a file is copied, a folder shown read-only. The pages of
    # a file: index link to packages beside it, therefore its parent folder is shown.
    while IFS= read -r value; do
        path=${value#file://}
        path=${path%/}
        if [ -f "$path" ]; then
            copy_in "$root" "$path"
        elif [ -d "$path" ]; then
            case $value in
                file://*)
                    name=$(dirname "$path")
                    if [ "$name" != / ]; then path=$name; fi
                    ;;
            esac
            case $path in
                /etc/*) copy_in "$root" "$path" ;; # certificates and the like; never over the tree's own
                "" | /bin | /dev | /lib* | /proc | /sbin | /sys | /usr | "$tree_home") ;;
                *) printf '%s\n' "$path" ;;
            esac
        fi
    done < <(tr ' =\t' '\n\n\n' <"$root.settings" | grep -E '^(file://)?/' | sort -u) |
        sort -u >"$root.mounts"
    rm -f "$root.settings"
}

# ---------------------------------------------------------------------------------------------------

[ "$(id -u)" = 0 ] || die "must run as root: debootstrap and chroot need it (sudo make fresh)"
for tool in debootstrap git unshare chroot flock; do
    command -v "$tool" >/dev/null || [ -x "/usr/sbin/$tool" ] ||
        die "needs $tool (Debian: apt-get install debootstrap git util-linux)"
done
export PATH=$PATH:/usr/sbin:/sbin
git -C "$checkout" rev-parse --quiet --verify 'HEAD^{commit}' >/dev/null ||
    die "$checkout has no commit to test"
if [ -n "$(git -C "$checkout" status --porcelain)" ]; then
    say "note: the checkout has changes that are not committed; they are not tested"
fi
targets=("$@")
[ "${#targets[@]}" -gt 0 ] || targets=(demo test)

mkdir -p "$cache"
chmod 700 "$cache" # copies of the pip configuration may hold a password
base=$cache/$suite-$(printf '%s' "$packages" | cksum | cut -d ' ' -f 1)
exec 9>"$cache/lock"
flock 9
if [ -n "${FRESH_REBUILD:-}" ]; then rm -rf --one-file-system "$base"; fi
started=$SECONDS
if [ -d "$base" ]; then
    say "base tree: $base"
else
    build_base "$base"
    say "base tree: $base, $((SECONDS - started)) s"
fi
flock -u 9
exec 9>&-

root=$(mktemp -d "$cache/run.XXXXXX")
child=
clean_up() {
    # The namespaces and all their processes end with the child; unshare itself heeds no milder signal.
    if [ -n "$child" ] && kill -KILL "$child" 2>/dev/null; then
        wait "$child" 2>/dev/null || true
        sleep 1
    fi
    if [ -n "${FRESH_KEEP:-}" ]; then
        say "kept: $root"
    else
        rm -rf --one-file-system "$root" "$root.mounts" "$root.environment" "$root.settings"
    fi
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

cp -a --reflink=auto "$base/." "$root/"
chmod 755 "$root"
set_up_network "$root"
git clone --quiet --no-local "$checkout" "$root$tree_home/offhand"
say "commit $(git -C "$checkout" rev-parse --short HEAD) in $root"

# A process namespace of its own ends whatever the run leaves behind. In the background, as a trap
# waits for a command in the foreground.
in_tree() {
    local status=0
    unshare --mount --propagation private --pid --fork --kill-child \
        bash "${BASH_SOURCE[0]}" --enter "$root" "$@" </dev/null &
    child=$!
    wait "$child" || status=$?
    child=
    return "$status"
}

for target in "${targets[@]}"; do
    started=$SECONDS
    say "make $target"
    in_tree make --no-print-directory -C "$tree_home/offhand" "$target" ||
        die "make $target failed after $((SECONDS - started)) s"
    say "make $target: $((SECONDS - started)) s"
done
say "fresh machine: ${targets[*]} passed"
