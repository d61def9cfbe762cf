#!/bin/sh
# Brings the jars of a Kafka broker to .cache/kafka (43 MB). Needs Maven and Java 17. A folder that is there is kept.
set -eu
root="$(cd "$(dirname "$0")/../.." && pwd)"
target="$root/.cache/kafka"
if [ -d "$target" ]; then
  echo "The jars of Kafka are in $target."
  exit 0
fi
mkdir -p "$root/.cache"
part="$target.$$"
trap 'rm -rf "$part"' EXIT
mvn -q -B -f "$root/infra/kafka/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$part"
mv "$part" "$target" # Whole or not at all, so that a broken download never counts as present.
echo "The jars of Kafka were copied to $target."
