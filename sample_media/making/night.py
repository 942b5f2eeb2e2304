"""Night: the Milky Way, a lighthouse on its headland, two beams turning in thin mist."""

from __future__ import annotations

import numpy as np

from sample_media.making.develop import Film, Photo, colour, develop
from sample_media.making.noise import Grid, fbm, smooth
from sample_media.making.scenery import Camera, Hit, Sea, Sky, haze, meet, normals
from sample_media.making.tower import flare, lamp_at, place_tower

_TOWER = (31.0, 150.0)
_TALL_M = 27.0
_WARM = colour("#ffd9a0")
_STARS = 9000


def ground(x: Grid, z: Grid, fine: Grid) -> Grid:
    """A rocky headland that comes in from the right, and low land behind."""
    rough = fbm(x / 30, z / 30, 8, gain=0.52, fine=fine / 30)
    crags = fbm(x / 7, z / 7, 6, fine=fine / 7, ridged=True)
    near = (x - 12) / 60 - ((z - 150) / 62) ** 2 + 0.30 * rough
    height = -4 + (4 + 12.5 * smooth(0.0, 0.20, near) + 5 * smooth(0.2, 1.2, near)) * smooth(-0.02, 0.06, near)
    height += (2.6 * crags * smooth(0, 0.15, near) * (1 - 0.75 * smooth(0.25, 0.5, near))).astype(np.float32)
    far = (x + 900) / -900 - ((z - 3200) / 900) ** 2 + 0.25 * fbm(x / 600, z / 600, 7, fine=fine / 600)
    return np.maximum(height, -4 + 180 * smooth(0, 0.8, far)).astype(np.float32)


def make(width: int, height: int) -> Photo:
    camera = Camera(int(width * 1.3), int(height * 1.3), up_m=9.0, focal=0.85, horizon=0.76)
    lamp_m = 13.5 + _TALL_M * 0.82
    away = float(np.arctan2(lamp_m - camera.up_m, _TOWER[1]))
    sky = Sky(
        ramp=(
            (0.0, colour("#5a7d8c") * 0.085),
            (0.06, colour("#3f6a86") * 0.075),
            (0.22, colour("#23446e") * 0.062),
            (0.6, colour("#142a52") * 0.05),
            (1.2, colour("#0c1a3c") * 0.045),
        ),
        sun=(float(np.arctan2(_TOWER[0], _TOWER[1])), away),
        sun_colour=_WARM,
        glow_colour=_WARM,
        sun_power=1.1,
        glow_power=0.004,
    )
    across, down = camera.rays()
    ray_x, ray_y = np.broadcast_arrays(across, down)
    up = np.arctan2(ray_y, np.hypot(1, ray_x)).astype(np.float32)
    azimuth = np.arctan(ray_x).astype(np.float32)
    light = sky.colour(azimuth, up, disc=False)
    light += _milky_way(ray_x, ray_y)
    _stars(light, camera)
    light += _low_cloud(azimuth, up)[..., None] * (colour("#6d8694") * 0.05)
    _water(light, ray_x, ray_y, sky, camera)
    _land(light, meet(camera, ground, 40, 6000, 1200), camera)
    _lighthouse(light, camera)
    film = Film(exposure=1.75, bloom=0.10, contrast=1.1, saturation=1.1, lift=(0.0, 0.012, 0.035), grain=0.016, seed=23)
    return develop(light, (width, height), film)


def _band(ray_x: Grid, ray_y: Grid) -> tuple[Grid, Grid]:
    """Places along and across the galaxy's band, which rises from lower left to upper right."""
    turn = 0.80
    across, up = ray_x + 0.16, ray_y - 0.44
    return across * np.cos(turn) + up * np.sin(turn), -across * np.sin(turn) + up * np.cos(turn)


def _milky_way(ray_x: Grid, ray_y: Grid) -> Grid:
    along, off = _band(ray_x, ray_y)
    bend = fbm(along * 5, off * 5, 5) * 0.05
    off = off + bend
    cloud = fbm(along * 9 + 3, off * 13, 8, gain=0.55)
    width = 0.125 + 0.04 * np.exp(-((along / 0.22) ** 2))
    body = np.exp(-((off / width) ** 2)) * (0.55 + 0.65 * np.clip(cloud + 0.3, 0, 2))
    core = np.exp(-((off / 0.06) ** 2) - ((along / 0.26) ** 2))
    lanes = fbm(along * 7 + 8, off * 16 + 2, 8, gain=0.58)
    rift = np.exp(-(((off - 0.012 + 0.02 * np.sin(along * 9)) / 0.034) ** 2))
    dust = smooth(-0.55, 0.75, lanes + 0.6 * rift - 0.22) * np.exp(-((off / 0.10) ** 2))
    light = body[..., None] * colour("#a9b8de") * 0.075 + core[..., None] * colour("#ffdcb8") * 0.085
    pink = smooth(0.55, 1.0, fbm(along * 24, off * 24, 4)) * np.exp(-((off / 0.05) ** 2))
    light = light * (1 - 0.80 * dust)[..., None] + pink[..., None] * colour("#ff7a9a") * 0.02
    return np.asarray(light * (0.25 + 0.75 * smooth(-0.02, 0.25, ray_y))[..., None], dtype=np.float32)


def _stars(light: Grid, camera: Camera) -> None:
    """Few bright and many faint ones, most of them in the band; as sharp at every size of picture."""
    rng = np.random.default_rng(77)
    x, y, power, warmth = rng.random((4, _STARS * 2))
    fx = (x - 0.5) / camera.focal
    fy = (camera.horizon - y * camera.horizon) * camera.height / camera.focal_px
    _, off = _band(fx, fy)
    kept = rng.random(_STARS * 2) < 0.30 + 0.7 * np.exp(-((off / 0.12) ** 2))
    scale = camera.width / 3500
    for px, py, p, w in zip(x[kept], y[kept], power[kept], warmth[kept], strict=True):
        bright = 0.012 * (1 - p * 0.99985) ** -0.70
        tint = np.array([0.75 + 0.4 * w, 0.9, 1.25 - 0.45 * w], dtype=np.float32)
        _dot(light, px * camera.width, py * camera.horizon * camera.height, min(bright, 5.0), tint, scale)


def _dot(light: Grid, x: float, y: float, bright: float, tint: Grid, scale: float) -> None:
    wanted = (0.78 + 0.30 * min(bright, 4.0) ** 0.7) * scale
    size = max(0.62, wanted)
    bright *= (wanted / size) ** 2  # a star too small to show is a fainter pixel
    reach = int(np.ceil(size * 3))
    left, top = int(x) - reach, int(y) - reach
    if left < 0 or top < 0 or left + 2 * reach + 1 > light.shape[1] or top + 2 * reach + 1 > light.shape[0]:
        return
    across = np.arange(left, left + 2 * reach + 1) + 0.5 - x
    down = np.arange(top, top + 2 * reach + 1) + 0.5 - y
    spot = np.exp(-(across[None, :] ** 2 + down[:, None] ** 2) / (2 * size**2))
    rows, columns = slice(top, top + 2 * reach + 1), slice(left, left + 2 * reach + 1)
    light[rows, columns] += (spot * bright).astype(np.float32)[..., None] * tint


def _low_cloud(azimuth: Grid, up: Grid) -> Grid:
    bank = fbm(azimuth * 5 + 4, up * 26, 7)
    return smooth(-0.1, 0.7, bank + 0.5 - up * 9) * smooth(0.24, 0.02, up)


def _water(light: Grid, ray_x: Grid, ray_y: Grid, sky: Sky, camera: Camera) -> None:
    first = int(camera.horizon * camera.height) + 1
    rx, ry = ray_x[first:], ray_y[first:]
    z = (camera.up_m / -ry).astype(np.float32)
    sea = Sea(body=colour("#06222e") * 0.05, wind=0.75, towards=2.4, longest_m=22, seed=3, glint=0.55)
    shown = sea.light((rx * z).astype(np.float32), z, rx, ry, sky, camera)
    light[first:] = haze(shown, z, colour("#5a7d8c") * 0.085, 5200)


def _land(light: Grid, hit: Hit, camera: Camera) -> None:
    nx, ny, nz = normals(hit, ground, camera)
    tint = fbm(hit.x / 6, hit.z / 6, 6, fine=hit.z / camera.focal_px / 6)
    skin = colour("#5d5850") * (0.8 + 0.5 * tint)[..., None]
    to_x, to_y, to_z = _TOWER[0] - hit.x, 26.0 - hit.y, _TOWER[1] - hit.z
    far = np.sqrt(to_x**2 + to_y**2 + to_z**2)
    facing = np.clip((nx * to_x + ny * to_y + nz * to_z) / far, 0, 1)
    glow = facing * 26 / (far**2 + 60)
    night = (
        colour("#3d5f88") * 0.060 * (0.25 + 0.75 * ny)[..., None]
        + colour("#8fa8c0") * 0.02 * np.clip(-nx, 0, 1)[..., None]
    )
    shown = skin * (night + glow[..., None] * _WARM)
    light[hit.seen] = haze(shown, hit.z, colour("#5a7d8c") * 0.085, 2600)


def _lighthouse(light: Grid, camera: Camera) -> None:
    x, z = _TOWER
    base = float(ground(np.array([x], np.float32), np.array([z], np.float32), np.array([0.1], np.float32))[0])
    foot = camera.pixel(x, base - 1.0, z)
    high = camera.focal_px * _TALL_M / z
    lamp = lamp_at(foot, high)
    light += _beams(light.shape[:2], lamp, high)[..., None] * _WARM
    place_tower(
        light, foot, high, sun=colour("#a8c0da") * 0.07, sky=colour("#5f7fa8") * 0.055, from_left=0.6, lamp=_WARM * 7
    )
    flare(light, lamp, high * 0.42, _WARM, 0.5)


def _beams(shape: tuple[int, ...], lamp: tuple[float, float], unit: float) -> Grid:
    """Light scattered by mist out of two opposite beams; the one that comes nearer looks wider."""
    x = (np.arange(shape[1], dtype=np.float32) - lamp[0])[None, :] / unit
    y = (lamp[1] - np.arange(shape[0], dtype=np.float32))[:, None] / unit
    far = np.sqrt(x**2 + y**2) + 1e-3
    angle = np.arctan2(y, x)
    mist = 0.75 + 0.55 * fbm(x * 1.1 + 5, y * 2.4, 6)
    total = np.zeros(shape[:2], dtype=np.float32)
    for towards, narrow, power in ((np.pi - 0.115, 0.030, 0.20), (0.075, 0.020, 0.14)):
        off = np.angle(np.exp(1j * (angle - towards))).astype(np.float32)
        side = np.exp(-((off / (narrow + 0.010 / far)) ** 2)) + 0.25 * np.exp(-np.abs(off) / (narrow * 1.8))
        total += side * power * mist / (0.35 + far) ** 0.85 * smooth(0.02, 0.16, far)
    return total
