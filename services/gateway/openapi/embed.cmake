# cmake -DIN=FILE -DOUT=FILE.cc -P embed.cmake: FILE's bytes as the C++ constant kApiDescriptors.
file(READ ${IN} hex HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "\\\\x\\1" bytes "${hex}")
string(LENGTH "${hex}" digits)
math(EXPR length "${digits} / 2")
# Compilers limit the length of a literal, but join adjacent ones.
string(REGEX REPLACE "(................................................................)" "\\1\"\n\"" bytes "${bytes}")
file(WRITE ${OUT} "#include <string_view>\n\nnamespace ridestream::gateway {\nextern const std::string_view kApiDescriptors;\nconst std::string_view kApiDescriptors{\n\"${bytes}\", ${length}};\n}  // namespace ridestream::gateway\n")
