"""Writes a google.protobuf.FileDescriptorSet of OTLP's trace protos to standard output.

Takes the path of a wheel of opentelemetry-proto. Each of its modules holds the serialized descriptor
of its proto file as a literal, the argument of AddSerializedFile, so the modules are parsed and not
run.
"""

import ast
import sys
import zipfile

# In the order of their imports.
MODULES = (
    "opentelemetry/proto/common/v1/common_pb2.py",
    "opentelemetry/proto/resource/v1/resource_pb2.py",
    "opentelemetry/proto/trace/v1/trace_pb2.py",
    "opentelemetry/proto/collector/trace/v1/trace_service_pb2.py",
)


def serialized_file(source: bytes) -> bytes:
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "AddSerializedFile"
            and isinstance(node.args[0], ast.Constant)
        ):
            return node.args[0].value
    raise ValueError("a module has no call of AddSerializedFile with a literal")


def varint(number: int) -> bytes:
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


def main() -> None:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        for module in MODULES:
            descriptor = serialized_file(wheel.read(module))
            # FileDescriptorSet.file has the number 1.
            sys.stdout.buffer.write(b"\x0a" + varint(len(descriptor)) + descriptor)


if __name__ == "__main__":
    main()
