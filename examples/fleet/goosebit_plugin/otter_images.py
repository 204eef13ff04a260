"""Raw app images from goosebit: OTTER_IMAGES is a folder; DEVICE.bin in it is for one device, all.bin for the others.

What is put there is offered to each device that says another version of itself (goosebit's sw_version, which the agent tells
after each change). One that has failed is left alone until it is forced: PATCH /api/v1/devices {"force_update": true}.

goosebit keeps a row for each board, and makes it twice where two devices are the first to name a board at the same moment; from
then on it answers each device of this board with 500, for good. So the row is made here, by one at a time.
"""
# SPDX-License-Identifier: Apache-2.0

import asyncio
import hashlib
import os
import pathlib
import struct

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import FileResponse
from goosebit.db.models import Hardware, UpdateStateEnum
from goosebit.device_manager import HandlingType
from goosebit.schema.plugins import PluginSchema
from goosebit.schema.updates import UpdateChunk, UpdateChunkArtifact
from goosebit.updater.routes import validate_device_token

FOLDER = pathlib.Path(os.environ.get("OTTER_IMAGES", "images"))
router = APIRouter()
boards = asyncio.Lock()
known = {}  # (path, size, time of its last change): version and hashes


def image_for(device):
    return next((path for path in (FOLDER / f"{device}.bin", FOLDER / "all.bin") if path.is_file()), None)


def describe(path):
    """The version in the app descriptor, and the hashes that a device can compare."""
    status = path.stat()
    key = (path, status.st_size, status.st_mtime_ns)
    if key not in known:
        data = path.read_bytes()
        described = len(data) >= 288 and struct.unpack_from("<I", data, 32)[0] == 0xABCD5432
        version = data[48:80].split(b"\0")[0].decode("utf-8", "replace") if described else "unknown"
        known[key] = version, {name: hashlib.new(name, data).hexdigest() for name in ("md5", "sha1", "sha256")}
    return known[key]


# Behind the same token as all that a device asks.
@router.get("/{dev_id}/image.bin", dependencies=[Depends(validate_device_token)])
async def otter_image(dev_id: str):
    path = image_for(dev_id)
    if path is None:
        raise HTTPException(404)
    return FileResponse(path, media_type="application/octet-stream")


async def offer(request, device):
    path = image_for(device.id)
    failed = device.last_state == UpdateStateEnum.ERROR
    if path is None or (failed and not device.force_update):
        return HandlingType.SKIP, None
    version, hashes = describe(path)
    if version == device.sw_version and not device.force_update:
        return HandlingType.SKIP, None
    link = str(request.url_for("otter_image", dev_id=device.id))
    file = UpdateChunkArtifact(filename=path.name, hashes=hashes, size=path.stat().st_size, links={"download": {"href": link}})
    return HandlingType.FORCED, UpdateChunk(part="os", version=version, name="app", artifacts=[file])


async def know_board(device, **data):
    async with boards:
        await Hardware.get_or_create(model=data.get("hw_boardname") or "default", revision=data.get("hw_revision") or "default")


config = PluginSchema(router=router, update_source_hook=offer, config_data_hook=know_board)
