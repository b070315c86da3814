# cmake -D OUT=FILE.c -D FILES=a;b -D VERSION=v -P embed.cmake: the files as a table in C, sorted by name:
# WEB_FILES of core/server/web_private.h, with VERSION for the word GAVEL_VERSION. Bytes, not string
# literals: those may not be longer than 4095 characters.
string(HEX GAVEL_VERSION word)
string(HEX ${VERSION} version)
set(arrays "")
set(rows "")
set(n 0)
list(SORT FILES)
foreach(file ${FILES})
  get_filename_component(name ${file} NAME)
  file(READ ${file} hex HEX)
  string(REPLACE ${word} ${version} hex ${hex})
  string(REGEX REPLACE "(................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const unsigned char FILE_${n}[] = { /* ${name} */\n${bytes}0};\n")
  string(APPEND rows "  {\"${name}\", (const char *)FILE_${n}, sizeof FILE_${n} - 1},\n")
  math(EXPR n "${n} + 1")
endforeach()
file(WRITE ${OUT} "#include \"core/server/web_private.h\"\n\n${arrays}\n"
  "const struct web_file WEB_FILES[] = {\n${rows}  {NULL, NULL, 0},\n};\n")
