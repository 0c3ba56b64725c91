#!/bin/sh
# Creates the content of the images below a directory: berth/ (Node.js, the bundle, its compiled code, the notices), libraries/
# (the system files that Node.js needs in an otherwise empty image) and agent/ (the SBOM). Runs as root in the build stage of the
# Dockerfile.
set -eu
out=$1
node=$(ls -d node_modules/node-linux-*/bin/node)
home=$out/berth/usr/local/lib/berth

# Checks that npm installed the Node.js binary that its makers signed. The binary of the other architecture is not installed.
sha256sum --check --strict --quiet --ignore-missing scripts/node.sha256

node scripts/build.ts
mkdir -p "$home/cache" "$out/berth/usr/local/bin" "$out/libraries/etc" "$out/libraries/tmp" "$out/agent/usr/local/lib/berth"
cp "$node" "$out/berth/usr/local/bin/node"
cp LICENSE "$home/"
# The kernel starts Node.js directly: the agent's image has no env(1).
for program in berth devices; do
  sed '1s|.*|#!/usr/local/bin/node --max-semi-space-size=1|' "dist/$program.mjs" >"$home/$program.mjs"
done
ln -s ../lib/berth/berth.mjs "$out/berth/usr/local/bin/berth"

libraries=$(ldd "$node" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^\t\(\/[^ ]*\) (.*/\1/p')
for library in $libraries; do
  mkdir -p "$out/libraries$(dirname "$library")"
  cp -L "$library" "$out/libraries$library"
done
# A scanner reads the Debian release from these two files. Without the release, it finds no vulnerabilities of the libraries.
mkdir -p "$out/libraries/usr/lib"
cp /usr/lib/os-release "$out/libraries/usr/lib/"
ln -s ../usr/lib/os-release "$out/libraries/etc/os-release"
cp /etc/debian_version "$out/libraries/etc/"
# dpkg lists a library under the path that /lib links to, or under the path without /usr from before Debian 13.
packages=$(for file in $libraries /usr/lib/os-release /etc/debian_version; do
  path=$(readlink -f "$file")
  dpkg-query -S "$path" 2>/dev/null || dpkg-query -S "${path#/usr}"
done | cut -d : -f 1 | sort -u)
# One file per package, as in the distroless images, because the image has no dpkg to maintain a database.
mkdir -p "$out/libraries/var/lib/dpkg/status.d"
for package in $packages; do
  dpkg-query -s "$package" >"$out/libraries/var/lib/dpkg/status.d/$package"
  mkdir -p "$out/libraries/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$out/libraries/usr/share/doc/$package/"
done
# shellcheck disable=SC2086 # names of packages, with spaces between
node scripts/image-notices.ts $packages >"$home/THIRD-PARTY-NOTICES.txt"
# shellcheck disable=SC2086
node scripts/sbom.ts /var/lib/dpkg /usr/lib/os-release $packages >"$out/agent/usr/local/lib/berth/sbom.cdx.json"
chmod -R u=rwX,go=rX "$out"
chmod 755 "$home/berth.mjs" "$home/devices.mjs"

# V8 caches compiled code by the path of the program and by the user: the agent's, the helper's, and root for the device plugin. A
# fixed random seed makes the cache the same in every build.
mkdir -p /usr/local/lib/berth
cp "$home/berth.mjs" "$home/devices.mjs" /usr/local/lib/berth/
chmod 1777 "$home/cache"
compile() {
  setpriv --reuid "$1" --regid "$1" --clear-groups env NODE_COMPILE_CACHE="$home/cache" \
    "$out/berth/usr/local/bin/node" --random-seed=1 --max-semi-space-size=1 "/usr/local/lib/berth/$2.mjs" --version
}
compile 0 berth
compile 65532 berth
compile 0 devices
chown -R 0:0 "$home/cache"
chmod -R a=rX,u+w "$home/cache"
[ "$(find "$home/cache" -type f | wc -l)" -eq 3 ]

chmod 1777 "$out/libraries/tmp"
echo 'berth:x:65532:65532:berth:/:/nologin' >"$out/libraries/etc/passwd"
echo 'berth:x:65532:' >"$out/libraries/etc/group"
