#!/usr/bin/env bash
# Gradescope runs this once, when it builds the image of the autograder. Beside it lie run_autograder, suite.json and the
# program grade, built by: cargo build --release -p grade
set -euo pipefail
apt-get update
apt-get install --yes --no-install-recommends bubblewrap iproute2 python3 util-linux
install -m 755 /autograder/source/grade /usr/local/bin/grade
