#!/bin/sh
# Seeds of the target `render` for one format, from the project's fixtures: each file behind heads that choose other requests.
# sh fuzz/seeds.sh tif    writes fuzz/corpus/render-tif
set -eu
cd "$(dirname "$0")/.."
case "$1" in
  jpg | png | webp | gif | tif | bmp) ;;
  *) echo "sh fuzz/seeds.sh jpg|png|webp|gif|tif|bmp" >&2; exit 2 ;;
esac
folder="fuzz/corpus/render-$1"
mkdir -p "$folder"
# page, limits, options, pieces; kinds of region and size, region (4), size (2), rotation and quality and format
heads='\000\000\000\000\000\000\000\000\000\000\000\000
\000\000\000\103\066\020\020\100\200\144\120\040
\000\010\000\144\064\100\100\200\077\062\062\101
\000\000\003\051\000\000\000\000\000\000\000\126
\001\000\000\002\046\000\000\377\377\050\036\203'
for file in tests/fixtures/*."$1" fuzz/seeds/*."$1" tests/crashes/*."$1"; do
  [ -f "$file" ] || continue
  number=0
  printf '%s\n' "$heads" | while read -r head; do
    number=$((number + 1))
    # shellcheck disable=SC2059
    { printf "$head"; cat "$file"; } >"$folder/$(basename "$file")-$number"
  done
done
echo "$folder"
