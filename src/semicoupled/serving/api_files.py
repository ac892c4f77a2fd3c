"""Files: folders that were allowed at start, and files that were dropped."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from semicoupled.serving.schemas import REFUSALS, FileEntry, FolderListing, UploadInfo
from semicoupled.serving.services import Serving

router = APIRouter(tags=["files"], responses=REFUSALS)


@router.get("/roots")
def roots(serving: Serving) -> list[str]:
    """Name the folders that may be looked into."""
    return list(serving.roots.names())


@router.get("/files")
def files(serving: Serving, root: str, path: Annotated[str, Query(max_length=1000)] = "") -> FolderListing:
    """List a folder below a root."""
    found = serving.roots.list(root, path)
    entries = [FileEntry(name=entry.name, folder=entry.folder, size=entry.size) for entry in found.entries]
    return FolderListing(root=root, path=path, entries=entries, truncated=found.truncated)


@router.post("/uploads", status_code=201)
def begin_upload(serving: Serving) -> UploadInfo:
    """Begin an upload of one or more files."""
    return UploadInfo(id=serving.uploads.begin().id, files=[], bytes=0)


@router.put("/uploads/{upload_id}/files", status_code=201)
async def add_file(
    serving: Serving, request: Request, upload_id: str, name: Annotated[str, Query(max_length=1000)]
) -> UploadInfo:
    """Add a file to an upload; its bytes are the body.

    The name says no more than how the file is called: it never becomes a path.
    """
    await serving.uploads.add(upload_id, name, request.stream())
    upload = serving.uploads.find(upload_id)
    return UploadInfo(id=upload.id, files=sorted(upload.names.values()), bytes=upload.bytes)


@router.delete("/uploads/{upload_id}", status_code=204)
def remove_upload(serving: Serving, upload_id: str) -> Response:
    """Remove an upload and its files."""
    serving.uploads.remove(upload_id)
    return Response(status_code=204)
