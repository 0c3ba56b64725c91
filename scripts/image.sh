#!/bin/sh
# Lays out what the images hold, below a folder: berth/ (Node, the bundle, its compiled code, the list of parts) and libraries/ (what
# Node needs of the system, where nothing else is). Runs in the build stage of the Dockerfile, as root.
set -eu
out=$1
node=$(ls -d node_modules/node-linux-*/bin/node)
home=$out/berth/usr/local/lib/berth

node scripts/build.ts
mkdir -p "$home/cache" "$out/berth/usr/local/bin" "$out/libraries/etc" "$out/libraries/tmp"
cp "$node" "$out/berth/usr/local/bin/node"
cp dist/berth.mjs.LEGAL.txt LICENSE "$home/"
# The kernel itself finds Node: there is no env(1) in the agent's image.
sed '1s|.*|#!/usr/local/bin/node --max-semi-space-size=1|' dist/berth.mjs >"$home/berth.mjs"
chmod -R u=rwX,go=rX "$out"
chmod 755 "$home/berth.mjs"
ln -s ../lib/berth/berth.mjs "$out/berth/usr/local/bin/berth"
node scripts/sbom.ts >"$home/sbom.cdx.json"

# The code is kept by the path of the bundle and by the user, the agent's and the helper's. With a random seed of its own each time it
# would differ from one build to the next.
mkdir -p /usr/local/lib/berth
cp "$home/berth.mjs" /usr/local/lib/berth/
chmod 1777 "$home/cache"
for user in 0 65532; do
  setpriv --reuid "$user" --regid "$user" --clear-groups env NODE_COMPILE_CACHE="$home/cache" \
    "$out/berth/usr/local/bin/node" --random-seed=1 --max-semi-space-size=1 /usr/local/lib/berth/berth.mjs --version
done
chown -R 0:0 "$home/cache"
chmod -R a=rX,u+w "$home/cache"
[ "$(find "$home/cache" -type f | wc -l)" -eq 2 ]

ldd "$node" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p' | while read -r library; do
  mkdir -p "$out/libraries$(dirname "$library")"
  cp -L "$library" "$out/libraries$library"
done
chmod 1777 "$out/libraries/tmp"
echo 'berth:x:65532:65532:berth:/:/nologin' >"$out/libraries/etc/passwd"
echo 'berth:x:65532:' >"$out/libraries/etc/group"
