"""The parts of a SARIF log that are used.

See the Static Analysis Results Interchange Format 2.1.0 (OASIS), https://docs.oasis-open.org/sarif/sarif/v2.1.0/.
Many tools write null for what they leave out, so null counts as left out.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from bot.domain.merge_request import Value

_Line = Annotated[int, Field(gt=0)]
#: A list whose items are looked at one by one, so that a broken one does not hide the others.
_Items = Annotated[tuple[Any, ...], BeforeValidator(lambda value: tuple(value) if _is_list(value) else value)]
_Texts = Annotated[tuple[str, ...], Field(strict=False)]


def _is_list(value: object) -> bool:
    return isinstance(value, list)


class Part(Value):
    """Base of all parts: names as SARIF writes them."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, value: object) -> object:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value


class Message(Part):
    """A text, or the name of one among the rule's."""

    text: str = ""
    id: str = ""
    arguments: _Texts = ()


class ArtifactLocation(Part):
    """Where a file is: a URI, maybe relative to a base that the run names, or an index into its files."""

    uri: str = ""
    uri_base_id: str = ""
    index: int = -1


class Artifact(Part):
    """A file that the run knows."""

    location: ArtifactLocation = ArtifactLocation()


class Region(Part):
    """A stretch of a file; lines and columns count from 1, and ``end_column`` is the one behind the last."""

    start_line: _Line | None = None
    start_column: _Line | None = None
    end_line: _Line | None = None
    end_column: _Line | None = None


class PhysicalLocation(Part):
    """A region of a file."""

    artifact_location: ArtifactLocation = ArtifactLocation()
    region: Region = Region()


class Location(Part):
    """A place; only physical ones are used."""

    physical_location: PhysicalLocation | None = None


class Replacement(Part):
    """Put a text in place of a region."""

    deleted_region: Region
    inserted_content: Message = Message()


class ArtifactChange(Part):
    """The replacements in one file."""

    artifact_location: ArtifactLocation
    replacements: Annotated[tuple[Replacement, ...], Field(strict=False)]


class Fix(Part):
    """A proposed change."""

    artifact_changes: Annotated[tuple[ArtifactChange, ...], Field(strict=False)]


class Suppression(Part):
    """Say that somebody asked to ignore a result."""

    status: str = "accepted"


class ComponentReference(Part):
    """Name the part of a tool that has a rule."""

    name: str = ""
    index: int = -1


class Reference(Part):
    """Name a rule, or a class of weaknesses."""

    id: str = ""
    index: int = -1
    tool_component: ComponentReference = ComponentReference()


class Relationship(Part):
    """Connect a rule with a class of weaknesses."""

    target: Reference = Reference()


class Properties(Part):
    """What tools add: tags such as ``external/cwe/cwe-079``, and how grave and how sure a finding is."""

    tags: _Texts = ()
    precision: str = ""
    security_severity: Annotated[float | None, Field(alias="security-severity", strict=False)] = None


class Configuration(Part):
    """How a rule is set up."""

    level: str = "warning"


class Rule(Part):
    """What a tool says about one of its rules."""

    id: str = ""
    name: str = ""
    short_description: Message = Message()
    full_description: Message = Message()
    help_uri: str = ""
    message_strings: dict[str, Message] = Field(default_factory=dict)
    default_configuration: Configuration = Configuration()
    properties: Properties = Properties()
    relationships: Annotated[tuple[Relationship, ...], Field(strict=False)] = ()


class Result(Part):
    """One finding."""

    rule_id: str = ""
    rule_index: int = -1
    rule: Reference = Reference()
    level: str = ""
    kind: str = "fail"
    message: Message = Message()
    locations: Annotated[tuple[Location, ...], Field(strict=False)] = ()
    suppressions: Annotated[tuple[Suppression, ...], Field(strict=False)] = ()
    baseline_state: str = ""
    fixes: _Items = ()
    taxa: Annotated[tuple[Reference, ...], Field(strict=False)] = ()
    properties: Properties = Properties()


class Component(Part):
    """A tool or an extension of it."""

    name: str = ""
    rules: _Items = ()


class Tool(Part):
    """A tool with its extensions."""

    driver: Component
    extensions: Annotated[tuple[Component, ...], Field(strict=False)] = ()


class Notification(Part):
    """Something that a tool says about its own run."""

    level: str = "warning"
    message: Message = Message()


class Invocation(Part):
    """How the tool fared."""

    execution_successful: bool = True
    tool_execution_notifications: Annotated[tuple[Notification, ...], Field(strict=False)] = ()


class ToolRun(Part):
    """One run of one tool."""

    tool: Tool
    results: _Items = ()
    artifacts: _Items = ()
    original_uri_base_ids: dict[str, ArtifactLocation] = Field(default_factory=dict)
    invocations: Annotated[tuple[Invocation, ...], Field(strict=False)] = ()
    column_kind: str = "utf16CodeUnits"


class Log(Part):
    """A whole file."""

    version: str
    runs: Annotated[tuple[ToolRun, ...], Field(strict=False)]
