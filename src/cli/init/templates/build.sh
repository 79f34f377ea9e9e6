#!/bin/sh
# Builds with BuildKit, also where it is not the engine's default.
#
#   ./build.sh [--no-cache] [--pull] [--detached]
#
#   --no-cache   run every step again
#   --pull       ask for newer base images
#   --detached   run in the background what was built
set -eu
cd "$(dirname "$0")"
export DOCKER_BUILDKIT=1 COMPOSE_DOCKER_CLI_BUILD=1

no_cache='' pull='' detached=''
for option in "$@"; do
    case $option in
        --no-cache) no_cache=$option ;;
        --pull) pull=$option ;;
        --detached) detached=$option ;;
        *)
            echo "usage: $0 [--no-cache] [--pull] [--detached]" >&2
            exit 2
            ;;
    esac
done

set --
if [ -n "$no_cache" ]; then set -- "$@" "$no_cache"; fi
if [ -n "$pull" ]; then set -- "$@" "$pull"; fi
@BUILD@

if [ -n "$detached" ]; then
    @DETACHED@
fi
