"""A gale: a rock tower in breaking seas, spray thrown up its side, a lit lantern under driving cloud."""

from __future__ import annotations

import cv2
import numpy as np

from sample_media.making.develop import Film, Photo, blur, colour, develop, over
from sample_media.making.noise import Grid, fbm, noise, smooth
from sample_media.making.scenery import Camera, Hit, haze, meet, normals
from sample_media.making.tower import flare, lamp_at, place_tower

_TOWER = (9.0, 150.0)
_TALL_M = 44.0
_WARM = colour("#ffd7a0")
_AIR = colour("#8fa0a6") * 0.46


def _swell(x: Grid, z: Grid) -> tuple[Grid, Grid]:
    """Height of the great waves in metres, and how near each place is to breaking, 0..1."""
    bend = fbm(x / 90, z / 90, 4) * 13
    total, crest = np.zeros_like(x), np.zeros_like(x)
    for length, angle, tall, phase in ((92.0, 0.35, 7.4, 0.6), (61.0, -0.30, 3.6, 2.1), (37.0, 0.75, 2.0, 4.0)):
        place = (x * np.sin(angle) + z * np.cos(angle) + bend * length / 92) / length * 2 * np.pi + phase
        wave = (0.5 + 0.5 * np.sin(place + 0.32 * np.cos(place))) ** 2.1
        total += (tall * (wave - 0.36)).astype(np.float32)
        crest += (wave * tall / 13.0).astype(np.float32)
    return total, crest


def ground(x: Grid, z: Grid, fine: Grid) -> Grid:
    """The surface of the sea, with the rock that the tower stands on."""
    x, z = np.broadcast_arrays(x, z)
    total, crest = _swell(x, z)
    chop = fbm(x / 9 + 0.4 * total, z / 7, 7, gain=0.55, fine=fine / 7, ridged=True) - 0.35
    small = fbm(x / 2.6, z / 2.1, 5, gain=0.55, fine=fine / 2.1)
    sea = total + chop * (0.9 + 1.9 * crest) + small * 0.12
    rough = fbm(x / 8, z / 8, 7, fine=fine / 8, ridged=True)
    far = np.hypot((x - _TOWER[0] - 2) / 19, (z - _TOWER[1]) / 14)
    rock = 7.5 * smooth(1.15, 0.35, far) * (0.55 + 0.75 * rough) - 6 * smooth(0.9, 1.3, far)
    return np.maximum(sea, rock).astype(np.float32)


def make(width: int, height: int) -> Photo:
    camera = Camera(int(width * 1.3), int(height * 1.3), up_m=10.5, focal=1.75, horizon=0.655)
    across, down = camera.rays()
    ray_x, ray_y = np.broadcast_arrays(across, down)
    light = _clouds(ray_x, ray_y)
    hit = meet(camera, ground, 16, 4000, 2600, lowest_m=-50)
    _sea(light, hit, camera)
    depth = np.full(light.shape[:2], np.inf, dtype=np.float32)
    depth[hit.seen] = hit.z
    behind = light.copy()
    spray, cover = _spray(camera)
    cover = cover * smooth(105, 150, np.minimum(depth, 1e4))
    light = over(light, spray, cover)
    _lighthouse(light, camera)
    light = over(light, spray, cover * _before(camera))
    # Waves nearer than the tower stand before all of it.
    light = over(light, behind, smooth(146, 138, np.minimum(depth, 1e4)) * (1 - cover))
    light = _rain(light)
    film = Film(
        exposure=0.55, bloom=0.08, contrast=1.16, saturation=1.0, lift=(0.0, 0.014, 0.022), grain=0.014, seed=26
    )
    return develop(light, (width, height), film)


def _clouds(ray_x: Grid, ray_y: Grid) -> Grid:
    """Torn cloud, darker above, with one pale gap near the horizon at the left."""
    u, v = ray_x * 3.2, np.maximum(ray_y, -0.02) * 5.2
    bend = fbm(u + 2, v, 3) * 0.22
    shape = fbm(u * 0.9 + bend + 1.3, v * 1.5 + 0.5 * bend, 8, gain=0.52)
    lit = fbm(u * 0.9 + bend + 1.16, v * 1.5 + 0.5 * bend - 0.12, 8, gain=0.52)
    gap = np.exp(-(((ray_x + 0.17) / 0.20) ** 2) - ((ray_y - 0.075) / 0.085) ** 2)
    dark, pale = colour("#39454e") * 0.30, colour("#a9b6ba") * 0.50
    tone = 0.56 + 0.24 * shape + 0.50 * (shape - lit) - 0.80 * np.clip(ray_y, 0, 0.45)
    tone = 0.16 + np.logaddexp(0, (tone - 0.16) * 9).astype(np.float32) / 9
    light = dark + (pale - dark) * tone[..., None]
    light = light + (gap * (0.65 + 0.5 * shape))[..., None] * colour("#e8dfc8") * 0.55
    low = np.exp(-np.maximum(ray_y, 0) / 0.05)[..., None]
    return np.asarray(light + (_AIR - light) * low * 0.75, dtype=np.float32)


def _foam(x: Grid, z: Grid, fine: Grid) -> Grid:
    """White water: whole on breaking crests, torn to lace down their backs."""
    _, crest = _swell(x, z)
    lace = fbm(x / 6, z / 8, 8, gain=0.62, fine=fine / 6, ridged=True)
    web = fbm(x / 2.4 + 0.6 * lace, z / 3.4, 6, gain=0.6, fine=fine / 2.4, ridged=True)
    patch = fbm(x / 34 + 2, z / 44, 5)
    breaking = smooth(0.56, 0.84, crest + 0.20 * patch + 0.16 * (lace - 0.4))
    net = smooth(0.56, 0.80, 0.55 * lace + 0.45 * web + 0.24 * patch + 0.22 * crest)
    far = np.hypot((x - _TOWER[0] - 2) / 26, (z - _TOWER[1]) / 20)
    surf = smooth(1.3, 0.75, far + 0.35 * (0.5 - lace))
    away = smooth(120, 420, z)
    total = np.maximum(breaking * (0.75 + 0.35 * web), surf) + 0.42 * net * smooth(0.10, 0.35, crest + 0.3 * patch)
    return np.clip(total, 0, 1) * (1 - 0.62 * away)


def _sea(light: Grid, hit: Hit, camera: Camera) -> None:
    nx, ny, nz = normals(hit, ground, camera, soften=1.4)
    fine = hit.z / camera.focal_px * 1.5
    toward = np.sqrt(hit.x**2 + (hit.y - camera.up_m) ** 2 + hit.z**2)
    dx, dy, dz = hit.x / toward, (hit.y - camera.up_m) / toward, hit.z / toward
    facing = np.clip(-(dx * nx + dy * ny + dz * nz), 0.03, 1)
    mirror = 0.02 + 0.90 * (1 - facing) ** 4
    rx, ry, rz = dx + 2 * facing * nx, np.abs(dy + 2 * facing * ny), np.maximum(dz + 2 * facing * nz, 0.2)
    sky = _clouds((rx / rz).astype(np.float32), (ry / rz).astype(np.float32))
    thin = np.clip(nz * -1.1, 0, 1) * smooth(-1.5, 7.0, hit.y)
    body = colour("#16383f") * 0.42 + (thin * 0.9)[..., None] * colour("#3f8f86") * 0.36
    shown = body * (1 - mirror)[..., None] + sky * mirror[..., None]
    rock_far = np.hypot((hit.x - _TOWER[0] - 2) / 19, (hit.z - _TOWER[1]) / 14)
    rough = fbm(hit.x / 3, hit.z / 3, 6, fine=fine / 3)
    rock = smooth(0.98, 0.85, rock_far + 0.1 * rough) * smooth(0.4, 1.6, hit.y)
    stone = colour("#4b4a46") * (0.30 + 0.3 * ny + 0.2 * rough)[..., None] * 0.75
    shown = shown + (stone - shown) * rock[..., None]
    foam = _foam(hit.x, hit.z, fine)
    foam = foam * (1 - 0.8 * rock * smooth(2.5, 5.0, hit.y + 2 * rough))
    bump = 0.62 + 0.55 * np.clip(0.55 * ny - 0.50 * nx - 0.30 * nz, 0, 1) + 0.10 * rough
    white = colour("#dfe8e8") * (0.70 * bump)[..., None]
    shown = shown + (white - shown) * (foam * 0.95)[..., None]
    light[hit.seen] = haze(shown, hit.z, _AIR, 900)


def _lighthouse(light: Grid, camera: Camera) -> None:
    x, z = _TOWER
    foot = camera.pixel(x, 3.5, z)
    high = camera.focal_px * _TALL_M / z
    place_tower(light, foot, high, sun=colour("#e8e4d6") * 0.42, sky=colour("#93a2aa") * 0.42, from_left=0.85,
                lamp=_WARM * 3.2, air=_AIR, veil=0.12)  # fmt: skip
    flare(light, lamp_at(foot, high), high * 0.22, _WARM, 0.9)


_DROPS_PER_UNIT = 560


def _thrown() -> Grid:
    """Where the drops of a breaking sea are: jets that fly up and fall, each spreading as it goes.

    A map of 2.4 by 1.5 tower heights with the tower's foot at its bottom middle.
    """
    rng = np.random.default_rng(31)
    jets, drops = 420, 420
    start = rng.normal(-0.06, 0.17, (jets, 1))
    power = np.exp(-(((start + 0.17) / 0.12) ** 2)) + 0.62 * np.exp(-(((start - 0.14) / 0.10) ** 2)) + 0.20
    rise = np.sqrt(2 * power * rng.beta(2.2, 1.6, (jets, 1)) * 0.86)
    drift = start * 0.34 + rng.normal(0.05, 0.13, (jets, 1))
    age = rng.random((jets, drops)) ** 0.8 * rise * 1.45
    loose = rng.normal(0, 1, (2, jets, drops)) * (0.004 + 0.040 * age**1.5)
    x = start + drift * age + 0.10 * age**2 + loose[0]
    y = rise * age - 0.5 * age**2 + loose[1] * 1.2 - 0.02
    weight = np.exp(-age * 0.9) * rng.uniform(0.3, 1.6, (jets, 1))
    size = _DROPS_PER_UNIT
    rows, columns = int(1.5 * size), int(2.4 * size)
    at_x, at_y = (x + 1.2) * size, rows - 1 - (y + 0.12) * size
    kept = (at_x >= 0) & (at_x < columns - 1) & (at_y >= 0) & (at_y < rows - 1)
    found = np.zeros((rows, columns))
    np.add.at(found, (at_y[kept].astype(int), at_x[kept].astype(int)), weight[kept])
    return found.astype(np.float32)


def _spray(camera: Camera) -> tuple[Grid, Grid]:
    """Light and cover of a sea that has struck the tower: a dense fan low down, jets and fine drops above, drifting mist."""
    thrown = _thrown()
    dense = sum(blur(thrown, s) * w for s, w in ((1.0, 0.55), (2.6, 1.0), (7.0, 1.3), (24.0, 0.9)))
    rise = blur(thrown, 5.0) - blur(np.roll(thrown, (-9, -9), (0, 1)), 9.0)
    rise = 0.5 + np.clip(rise * 1.1, -0.36, 0.5)
    foot = camera.pixel(_TOWER[0], 2.0, _TOWER[1])
    unit = camera.focal_px * _TALL_M / _TOWER[1]
    scale = unit / _DROPS_PER_UNIT
    rows, columns = thrown.shape
    move = np.array([[scale, 0, foot[0] - columns / 2 * scale], [0, scale, foot[1] + 0.12 * unit - rows * scale]])
    size = (camera.width, camera.height)
    thick = cv2.warpAffine(np.asarray(dense, dtype=np.float32), move, size, flags=cv2.INTER_CUBIC)
    lit = cv2.warpAffine(rise.astype(np.float32), move, size, flags=cv2.INTER_LINEAR, borderValue=0.5)
    x = ((np.arange(camera.width, dtype=np.float32) - foot[0]) / unit)[None, :]
    y = ((foot[1] - np.arange(camera.height, dtype=np.float32)) / unit)[:, None]
    x, y = np.broadcast_arrays(x, y)
    grit = fbm(x * 40, y * 40, 5, gain=0.62)
    wisps = fbm(x * 5 - y, y * 4, 7, gain=0.58)
    cover = 1 - np.exp(-np.maximum(thick, 0) * (1.0 + 0.55 * grit + 0.5 * wisps) * 1.15)
    low = smooth(-0.16, -0.02, y)
    mist = np.exp(-(((y - 0.03) / 0.12) ** 2) - ((x / 0.95) ** 2)) * (0.42 + 0.35 * wisps)
    cover = np.clip(cover * low + np.clip(mist, 0, 0.5) * (1 - cover), 0, 0.97)
    shade = np.clip(lit + 0.30 + 0.16 * y - 0.22 * x + 0.10 * grit + 0.10 * wisps, 0.25, 1.15)
    white = (shade * 0.78)[..., None] * (colour("#dbe7ea") * 0.45 + colour("#f4efe2") * 0.55 * shade[..., None])
    return white.astype(np.float32), cover.astype(np.float32)


def _before(camera: Camera) -> Grid:
    """Which share of the spray is on our side of the tower: most of it low down, little above."""
    foot = camera.pixel(_TOWER[0], 2.0, _TOWER[1])
    unit = camera.focal_px * _TALL_M / _TOWER[1]
    y = ((foot[1] - np.arange(camera.height, dtype=np.float32)) / unit)[:, None]
    x = ((np.arange(camera.width, dtype=np.float32) - foot[0]) / unit)[None, :]
    tongue = 0.10 * fbm(x * 7, y * 3, 6)
    return 0.95 - 0.85 * smooth(0.05, 0.42, y + 0.9 * x + tongue)


def _rain(light: Grid) -> Grid:
    """Streaks that lean with the wind, near and far."""
    rows, columns = light.shape[:2]
    x = np.arange(columns, dtype=np.float32)[None, :] / columns
    y = np.arange(rows, dtype=np.float32)[:, None] / columns
    total = np.zeros((rows, columns), dtype=np.float32)
    for dense, power in ((260.0, 0.020), (130.0, 0.022)):
        lean = (x - 0.20 * y) * dense
        total += smooth(0.52, 0.95, noise(np.broadcast_to(lean, total.shape), y * dense * 0.055 + lean * 0.21)) * power
    return np.asarray(light + total[..., None] * colour("#c4d0d4"), dtype=np.float32)
