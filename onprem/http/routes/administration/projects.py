"""Projects: their settings, never their content."""

from typing import Any

import msgspec
from litestar import Request, Response, get, patch, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from onprem.core.job import JobKind
from onprem.core.project import NewProject, ProjectSettings
from onprem.errors import InvalidRequest, NotFound
from onprem.faults import Fault
from onprem.http.bodies import answer, read_fields
from onprem.http.openapi.contract import Answer, Contract, Tag
from onprem.http.views import iso
from onprem.services.keys import Principal, Scope
from onprem.services.use_cases import UseCases
from onprem.store.projects import Project

PROJECTS = "/v1/admin/projects"


class ProjectView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A project and all its settings; a quota that is not set is absent."""

    id: str
    name: str
    created_at: str
    region: str
    operations: list[JobKind]
    consent_required: bool
    media_bytes: int | None = None
    queued_jobs: int | None = None
    media_retention: int | None = None
    output_retention: int | None = None
    requests_per_minute: int | None = None


class ProjectList(msgspec.Struct, frozen=True):
    projects: list[ProjectView]


@get(
    PROJECTS,
    scope=Scope.ADMIN,
    contract=Contract(tag=Tag.ADMINISTRATION, answers={200: Answer(ProjectList)}),
)
async def list_projects(
    principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """All projects of this node, the oldest first."""
    return answer(ProjectList([project_view(each) for each in await use.projects.every()]))


@post(
    PROJECTS,
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        body=NewProject,
        example={"name": "sales", "region": "eu", "operations": ["diarize", "transcribe"]},
        answers={201: Answer(ProjectView, description="The project stands; it has no key yet.")},
        writes=True,
    ),
)
async def create_project(
    request: Request[Any, Any, Any],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Make a project.

    A field that is not known is a 400: a policy that somebody misspells must not pass for set.
    """
    fields = await read_fields(request)
    name = fields.pop("name", None)
    if not isinstance(name, str):
        raise InvalidRequest([Fault("name", "Required, as text")])
    project = await use.projects.create(name, fields, actor=principal.actor)
    return answer(project_view(project), 201)


@get(
    PROJECTS + "/{project:str}",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION, answers={200: Answer(ProjectView)}, refuses=(NotFound,)
    ),
)
async def get_project(
    project: FromPath[str], principal: NamedDependency[Principal], use: NamedDependency[UseCases]
) -> Response[bytes]:
    """One project, by name or id."""
    return answer(project_view(await use.projects.get(project)))


@patch(
    PROJECTS + "/{project:str}",
    scope=Scope.ADMIN,
    contract=Contract(
        tag=Tag.ADMINISTRATION,
        body=ProjectSettings,
        example={"region": "eu", "mediaBytes": None},
        answers={200: Answer(ProjectView, description="The project as it is now.")},
        refuses=(NotFound,),
        writes=True,
    ),
)
async def change_project(
    request: Request[Any, Any, Any],
    project: FromPath[str],
    principal: NamedDependency[Principal],
    use: NamedDependency[UseCases],
) -> Response[bytes]:
    """Change settings of a project, by name or id.

    What the body does not name stays; null brings a default back (JSON Merge Patch). Jobs that
    were submitted before keep what they were submitted with.
    """
    fields = await read_fields(request)
    changed = await use.projects.change(project, fields, actor=principal.actor)
    return answer(project_view(changed))


def project_view(project: Project) -> ProjectView:
    settings = project.settings
    return ProjectView(
        id=project.id,
        name=project.name,
        created_at=iso(project.created_at),
        region=settings.region,
        operations=sorted(settings.operations),
        consent_required=settings.consent_required,
        media_bytes=settings.media_bytes,
        queued_jobs=settings.queued_jobs,
        media_retention=settings.media_retention,
        output_retention=settings.output_retention,
        requests_per_minute=settings.requests_per_minute,
    )
