#!/bin/sh
# A throw-away PostgreSQL server: starts, prints its URL, lives until its standard input closes, leaves nothing behind.
#
#   postgres.sh [durable]     `durable` keeps fsync on, for measuring
#
# Whoever started it holds the other end of standard input, so the server ends with them, however they end.
# It listens on a Unix socket in a folder of its own: no port to collide on. Exit code 77: no PostgreSQL here.
set -eu

bin=''
for candidate in "$(pg_config --bindir 2>/dev/null || true)" $(ls -d /usr/lib/postgresql/*/bin /usr/local/opt/postgresql*/bin /opt/homebrew/opt/postgresql*/bin 2>/dev/null | sort -rV); do
    if [ -x "$candidate/initdb" ] && [ -x "$candidate/postgres" ]; then bin=$candidate; break; fi
done
[ -n "$bin" ] || { echo "no PostgreSQL binaries (initdb, postgres) on this machine" >&2; exit 77; }

base=${TMPDIR:-/tmp}
# In memory where there is room: containers often have 64 MB of it.
room=$(df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 { print $4 }')
if [ "${1:-}" != durable ] && [ -w /dev/shm ] && [ "${room:-0}" -gt 2000000 ]; then base=/dev/shm; fi
dir=$(mktemp -d "$base/care4u-postgres.XXXXXX")
server=''
finish() {
    [ -z "$server" ] || { kill -INT "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# PostgreSQL refuses to run as root.
as_user=''
if [ "$(id -u)" = 0 ]; then
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$dir"
    as_user="setpriv --reuid=$user --regid=$(id -g "$user") --clear-groups"
fi

settings="-c listen_addresses= -c unix_socket_directories=$dir -c max_connections=300 -c shared_buffers=128MB"
if [ "${1:-}" != durable ]; then
    settings="$settings -c fsync=off -c full_page_writes=off -c synchronous_commit=off -c autovacuum=off -c wal_level=minimal -c max_wal_senders=0"
fi

cd "$dir"
$as_user "$bin/initdb" -D "$dir/data" -U care4u -A trust -E UTF8 --locale=C --no-sync >"$dir/initdb.log" 2>&1 || { cat "$dir/initdb.log" >&2; exit 1; }
# shellcheck disable=SC2086
$as_user "$bin/postgres" -D "$dir/data" $settings >"$dir/server.log" 2>&1 </dev/null &
server=$!
until "$bin/pg_isready" -q -h "$dir" -U care4u; do
    kill -0 "$server" 2>/dev/null || { cat "$dir/server.log" >&2; exit 1; }
    sleep 0.05
done
echo "postgres://care4u@localhost/postgres?host=$dir"
cat >/dev/null
