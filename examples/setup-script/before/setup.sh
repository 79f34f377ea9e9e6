#!/bin/sh
set -eu

apt-get update
apt-get install -y --no-install-recommends libpq5
rm -rf /var/lib/apt/lists/*

useradd --uid 1001 --create-home app
mkdir -p /var/log/app
chown app:app /var/log/app
