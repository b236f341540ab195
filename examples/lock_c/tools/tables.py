"""Writes the strict reader's tables from the .proto files' descriptors.

    protoc --descriptor_set_out=SET --include_imports ... && python3 tools/tables.py SET OUT [MESSAGE ...]

OUT.h numbers the messages and their repeated fields (FW_TEMPLATE_RECORD, FW_TEMPLATE_RECORD_POSES, ...), OUT.c holds what
src/strict.h declares. The messages named and those inside them are written; without a name, every message of the set.
Needs the protobuf runtime alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorSet

Field = FieldDescriptorProto
NOT_PACKABLE = {Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_MESSAGE}
MAX_NUMBER, MAX_ONEOFS, MAX_ENTRIES = 0xFFFF, 32, 0xFF  # what the C types hold


class Unsupported(ValueError):
    """A .proto feature that the strict reader has no rule for."""


class Schema:
    """The messages and enums of a descriptor set, by full name."""

    def __init__(self, files: FileDescriptorSet) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        self.enums: dict[str, list[int]] = {}
        for file in files.file:
            if file.syntax != "proto3":
                raise Unsupported(f"{file.name}: not proto3")
            for enum in file.enum_type:
                self.enums[f".{file.package}.{enum.name}"] = sorted({value.number for value in enum.value})
            for message in file.message_type:
                if message.nested_type or message.enum_type:
                    raise Unsupported(f"{message.name}: types declared inside it")
                self.messages[f".{file.package}.{message.name}"] = message

    def reached_from(self, names: list[str]) -> list[str]:
        """The messages of these names and all inside them, by name."""
        left = [name for name in self.messages if not names or name.rsplit(".", 1)[1] in names]
        missing = set(names) - {name.rsplit(".", 1)[1] for name in left}
        if missing:
            raise Unsupported(f"no such message: {', '.join(sorted(missing))}")
        found: set[str] = set()
        while left:
            name = left.pop()
            if name not in found:
                found.add(name)
                left += [field.type_name for field in self.messages[name].field if field.type == Field.TYPE_MESSAGE]
        return sorted(found)


def macro(name: str) -> str:
    """FW_TEMPLATE_RECORD of .faceward.v1.TemplateRecord."""
    return "FW_" + re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.rsplit(".", 1)[1]).upper()


def rows(schema: Schema, name: str, messages: list[str], enums: list[str]) -> Iterator[str]:
    """One message's fields, in order of number."""
    message = schema.messages[name]
    oneofs: dict[int, int] = {}
    for field in sorted(message.field, key=lambda field: field.number):
        if field.type == Field.TYPE_GROUP or field.number > MAX_NUMBER:
            raise Unsupported(f"{name}.{field.name}")
        flags, oneof, detail = [], 0, 0
        in_oneof = field.HasField("oneof_index") and not field.proto3_optional
        if in_oneof:
            oneof = oneofs.setdefault(field.oneof_index, len(oneofs) + 1)
        if field.label == Field.LABEL_REPEATED:
            flags.append("FW_REPEATED")
            unpacked = field.options.HasField("packed") and not field.options.packed
            if field.type not in NOT_PACKABLE and not unpacked:
                flags.append("FW_PACKED")
        elif field.type == Field.TYPE_MESSAGE or in_oneof or field.proto3_optional:
            flags.append("FW_PRESENCE")
        if field.type == Field.TYPE_MESSAGE:
            detail = messages.index(field.type_name)
        elif field.type == Field.TYPE_ENUM:
            detail = enums.index(field.type_name)
        yield f"    {{{field.number}, {field.type}, {' | '.join(flags) or 0}, {oneof}, {detail}}}, /* {field.name} */"
    if len(oneofs) > MAX_ONEOFS or len(message.field) > MAX_ENTRIES:
        raise Unsupported(f"{name}: too many fields")


def write(schema: Schema, roots: list[str], out: Path) -> None:
    """Write OUT.h and OUT.c."""
    messages = schema.reached_from(roots)
    enums = sorted(
        {field.type_name for name in messages for field in schema.messages[name].field if field.type == Field.TYPE_ENUM}
    )
    if len(messages) > MAX_ENTRIES or len(enums) > MAX_ENTRIES:
        raise Unsupported("too many messages")
    note = "/* Made by tools/tables.py from the .proto files; do not edit. */\n"
    head = [note + "#pragma once", '#include "strict.h"', ""]
    head += [f"#define {macro(name)} {index}u" for index, name in enumerate(messages)]
    head += ["", "/* Repeated fields, for fw_each_of. */"]
    for name in messages:
        walked = [
            field
            for field in schema.messages[name].field
            if field.label == Field.LABEL_REPEATED and field.type in NOT_PACKABLE
        ]
        head += [f"#define {macro(name)}_{field.name.upper()} {field.number}u" for field in walked]
    out.with_suffix(".h").write_text("\n".join(head) + "\n", encoding="utf-8")

    body = [note + f'#include "{out.name}.h"', ""]
    for index, name in enumerate(enums):
        body.append(f"static const int32_t values_{index}[] = {{{', '.join(map(str, schema.enums[name]))}}}; /* {name} */")
    body += ["", "const fw_enum fw_enums[] = {"]
    body += [f"    {{values_{index}, {len(schema.enums[name])}}}," for index, name in enumerate(enums)]
    body += ["};"]
    for index, name in enumerate(messages):
        if schema.messages[name].field:
            body += ["", f"/* {name} */", f"static const fw_field fields_{index}[] = {{"]
            body += [*rows(schema, name, messages, enums), "};"]
    body += ["", "const fw_message fw_messages[] = {"]
    for index, name in enumerate(messages):
        count = len(schema.messages[name].field)
        body.append(f"    {{{f'fields_{index}' if count else 'NULL'}, {count}}}, /* {name} */")
    body += ["};"]
    out.with_suffix(".c").write_text("\n".join(body) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    if len(arguments) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    files = FileDescriptorSet.FromString(Path(arguments[0]).read_bytes())
    try:
        write(Schema(files), arguments[2:], Path(arguments[1]))
    except Unsupported as error:
        print(f"the strict reader has no rule for {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
