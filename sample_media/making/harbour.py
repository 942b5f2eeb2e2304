"""The blue hour in a harbour: houses with lit windows, boats at their moorings, all of it again in still water."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from sample_media.making.develop import Film, Photo, colour, develop
from sample_media.making.noise import Grid, fbm, noise, smooth
from sample_media.making.scenery import Camera, Hit, Sky, haze, meet, normals
from sample_media.making.tower import draw, flare, lamp_at, place_tower, set_in

_UP_M = 2.6
_WARM = colour("#ffb866")
_PIER = (26.0, 150.0)
#: Houses: middle x and z, half width, half depth, height of the eaves, the ridge's direction (0 across, 1 ahead).
_HOUSES = tuple(
    (float(x), float(z), float(w), float(d), float(h), int(r))
    for x, z, w, d, h, r in (
        (-92, 226, 6.5, 5, 6.5, 0), (-78, 222, 5, 5, 8.0, 1), (-66, 221, 6, 5, 6.0, 0), (-54, 223, 4.6, 5, 9.0, 1),
        (-43, 221, 6, 5, 7.0, 0), (-31, 222, 5, 5, 8.2, 1), (-20, 220, 5.5, 5, 5.8, 0), (-9, 223, 4.8, 5, 8.6, 1),
        (3, 222, 6.4, 5, 6.6, 0), (15, 224, 4.8, 5, 7.8, 1), (28, 228, 6, 5, 5.6, 0), (-86, 250, 6, 5, 6.0, 0),
        (-70, 248, 5, 5, 7.6, 1), (-52, 252, 6, 5, 6.2, 0), (-36, 250, 5, 5, 6.8, 1), (-17, 252, 6, 5, 6.0, 0),
        (1, 251, 5, 5, 7.2, 1), (22, 256, 6, 5, 5.6, 0), (-62, 280, 6, 5, 5.8, 0), (-26, 284, 5.4, 5, 6.0, 1),
        (-104, 262, 5.5, 5, 6.0, 1), (-4, 290, 5, 5, 5.4, 0), (-112, 236, 5, 5, 6.4, 0), (-126, 246, 6, 5, 5.6, 0),
        (46, 246, 5, 5, 5.4, 1), (64, 262, 5.5, 5, 5.2, 0),
    )
)  # fmt: skip
#: Boats: x, z, length, turned (1 or -1), colour of the hull.
_BOATS = (
    (-19.0, 62.0, 9.5, 1, "#e8e4da"), (-41.0, 96.0, 10.5, -1, "#2d4a6b"), (7.5, 84.0, 9.0, -1, "#8a2f28"),
    (-6.0, 128.0, 11.0, 1, "#d8d2c4"), (-62.0, 140.0, 10.0, 1, "#e6e2d8"), (-34.0, 160.0, 9.0, -1, "#5b2a26"),
)  # fmt: skip


#: A sloop with her sail furled; 100 units are her length.
_SLOOP = (
    '<path d="M-50 -11C-30 -8 20 -8 53 -15L46 2C30 8 -30 8 -46 2Z" fill="HULL"/>'
    '<path d="M-48.5 -3.5C-20 0 25 0 50 -6L49 -3C25 3 -20 3 -47.5 0Z" fill="#d9d2c2"/>'
    '<path d="M-14 -9.5L-10 -17H18L27 -10Z" fill="#e4ded0"/>'
    '<path d="M-6 -11.5V-15H4V-11.5ZM8 -11.5V-15H15L18 -11.5Z" fill="#ffc978"/>'
    '<rect x="8" y="-136" width="1.3" height="124" fill="#cfc8bb"/><path d="M8 -22H-42V-20.5H8Z" fill="#cfc8bb"/>'
    '<path d="M8 -27C-8 -26 -30 -25 -42 -23L-42 -20.5H8Z" fill="#b9b4ac"/>'
    '<path d="M8.6 -134L52 -15M8.6 -134L-49 -11M8.6 -128L14 -12M8.6 -128L3 -12M2 -92H16" stroke="#8d8a88"'
    ' stroke-width="0.45" fill="none"/>'
)


def _hill(x: Grid, z: Grid, fine: Grid) -> Grid:
    rough = fbm(x / 90, z / 90, 8, gain=0.5, fine=fine / 90)
    bank = 2.2 * smooth(207, 209, z) + np.clip(z - 236, 0, 90) * 0.16
    hills = smooth(285, 640, z) * (68 + 30 * rough) * (0.55 + 0.45 * smooth(160, -120, x))
    ridge = smooth(900, 2200, z) * (190 + 110 * fbm(x / 700 + 3, z / 700, 7, fine=fine / 700))
    bay = smooth(110, 150, x - (z - 210) * 0.15) * smooth(1200, 500, z)
    land = (bank + np.maximum(hills, ridge)) * (1 - bay) - 40 * bay
    # The bed lies deep, or it would hide the shore from the camera below the water.
    return np.where(z < 207, -300, land).astype(np.float32)


def ground(x: Grid, z: Grid, fine: Grid) -> Grid:
    """Height of quay, hills, houses with their roofs, and the pier."""
    x, z, fine = np.broadcast_arrays(x, z, fine)
    height = _hill(x, z, fine)
    for mid_x, mid_z, half_x, half_z, eaves, turned in _HOUSES:
        near = (np.abs(x - mid_x) < half_x) & (np.abs(z - mid_z) < half_z)
        if not near.any():
            continue
        base = float(_hill(*(np.array([v], np.float32) for v in (mid_x, mid_z - half_z, 1.0)))[0])
        across = np.abs(z[near] - mid_z) / half_z if not turned else np.abs(x[near] - mid_x) / half_x
        roof = base + eaves + (1 - across) * (half_z if not turned else half_x) * 0.85
        height[near] = np.maximum(height[near], roof)
        stack = near & (np.abs(x - mid_x - half_x * 0.5) < 0.55) & (np.abs(z - mid_z) < 0.8)
        height[stack] = base + eaves + half_x * 0.95 + 0.8
    pier = (np.abs(z - _PIER[1]) < 3) & (x > _PIER[0] - 3.2)
    height[pier] = np.maximum(height[pier], 1.7 + 0.1 * noise(x[pier] / 2, z[pier] / 2))
    return height


def make(width: int, height: int) -> Photo:
    camera = Camera(int(width * 1.3), int(height * 1.3), up_m=_UP_M, focal=1.05, horizon=0.53)
    sky = Sky(
        ramp=(
            (0.0, colour("#e8a07c") * 0.40),
            (0.05, colour("#c99098") * 0.34),
            (0.13, colour("#7f86b4") * 0.28),
            (0.28, colour("#3c5c98") * 0.22),
            (0.6, colour("#1b3468") * 0.17),
        ),
        sun=(0.30, -0.03),
        sun_colour=colour("#ff9a60"),
        glow_colour=colour("#ff8a54"),
        glow_power=0.15,
        cover=0.50,
        cloud_lit=colour("#f0a090") * 0.44,
        cloud_dark=colour("#46527e") * 0.26,
        cloud_scale=0.9,
        offset=(6.2, 1.9),
    )
    upper = _world(camera, sky)
    mirrored = _world(replace(camera, up_m=-_UP_M), sky)
    light = _water(upper, mirrored, camera)
    film = Film(exposure=0.95, bloom=0.09, contrast=1.1, saturation=0.98, lift=(0.0, 0.012, 0.04), grain=0.011, seed=25)
    return develop(light, (width, height), film)


def _world(camera: Camera, sky: Sky) -> Grid:
    """All but the water. With the camera as far below the water as it was above, this is what the water mirrors."""
    across, down = camera.rays()
    ray_x, ray_y = np.broadcast_arrays(across, down)
    up = np.arctan2(ray_y, np.hypot(1, ray_x)).astype(np.float32)
    light = sky.colour(np.arctan(ray_x).astype(np.float32), up)
    _land(light, meet(camera, ground, 100, 5200, 2600), camera)
    _pier_light(light, camera)
    for x, z, length, turned, hull in sorted(_BOATS, key=lambda boat: -boat[1]):
        _boat(light, camera, (x, z, length), turned, hull)
    return light


def _land(light: Grid, hit: Hit, camera: Camera) -> None:
    nx, ny, nz = normals(hit, ground, camera, soften=0.8)
    tint = fbm(hit.x / 14, hit.z / 14, 7, fine=hit.z / camera.focal_px / 14)
    skin = colour("#3e4a34") * (0.8 + 0.5 * tint)[..., None]
    walls = ("#d9c7a8", "#b8745a", "#c9b9a0", "#8fa3ad", "#e2d8c4", "#c48f5c", "#a9b59a")
    lit = np.zeros_like(hit.x)
    for index, (mid_x, mid_z, half_x, half_z, eaves, turned) in enumerate(_HOUSES):
        part = (np.abs(hit.x - mid_x) < half_x + 0.15) & (np.abs(hit.z - mid_z) < half_z + 0.4)
        base = float(_hill(*(np.array([v], np.float32) for v in (mid_x, mid_z - half_z, 1.0)))[0])
        rise = hit.y - base
        face = part & (hit.z < mid_z - half_z + 0.45)
        roof = part & (ny > 0.35) & (rise > eaves * (0.97 if turned else 0.99)) & ~(face & bool(turned))
        wall = part & ~roof & (rise > 0.1)
        skin[roof] = colour("#5c4038" if index % 3 else "#4a4c54") * (0.85 + 0.5 * tint[roof])[..., None]
        skin[wall] = colour(walls[index % len(walls)]) * (0.9 + 0.2 * tint[wall])[..., None]
        glass, glow = _windows(hit.x - mid_x, rise, half_x, eaves, index)
        front = wall & (hit.z < mid_z)
        # Heights a pixel apart say little about a wall: it faces us.
        nx[front], ny[front], nz[front] = 0.0, 0.0, -1.0
        skin[front] *= (1 - 0.75 * glass[front])[..., None]
        lit[front] += (glass * glow)[front]
    stone = (hit.z < 212) & (hit.y < 3.2)
    skin[stone] = colour("#8d8478") * (0.8 + 0.6 * tint[stone])[..., None]
    sky_light = (
        colour("#7f93cc") * 0.26 * (0.45 + 0.55 * ny)[..., None]
        + colour("#ff9a70") * 0.10 * np.clip(nx, 0, 1)[..., None]
    )
    lamps = np.zeros_like(hit.x)
    for lamp_x in np.arange(-120, 40, 19.0):
        far = (hit.x - lamp_x) ** 2 + (hit.z - 211.5) ** 2 + (hit.y - 6.0) ** 2
        lamps += 9 / (far + 6) * np.clip(0.35 + 0.65 * -nz, 0, 1)
    shown = skin * (sky_light + lamps[..., None] * _WARM) + lit[..., None] * _WARM
    light[hit.seen] = haze(shown, np.maximum(hit.z - 200, 0), colour("#8f8cae") * 0.27, 1500)
    for lamp_x in np.arange(-120, 40, 19.0):
        flare(light, camera.pixel(float(lamp_x), 6.0, 211.5), camera.width * 0.006, _WARM, 1.7)


def _windows(x: Grid, rise: Grid, half: float, eaves: float, seed: int) -> tuple[Grid, Grid]:
    """Where a front has glass, and how brightly each window is lit."""
    rng = np.random.default_rng(40 + seed)
    columns, rows = max(2, round(half * 2 / 2.6)), max(1, round(eaves / 2.8))
    u, v = (x + half) / (2 * half) * columns, rise / eaves * rows
    glass = (np.abs(np.mod(u, 1) - 0.5) < 0.19) & (np.abs(np.mod(v, 1) - 0.55) < 0.24) & (rise > 0.4) & (rise < eaves)
    bars = (np.abs(np.mod(u, 1) - 0.5) > 0.02) & (np.abs(np.mod(v, 1) - 0.55) > 0.015)
    power = np.where(rng.random((rows, columns)) < 0.46, rng.uniform(0.7, 2.6, (rows, columns)), 0.02).astype(
        np.float32
    )
    at = np.clip(v.astype(int), 0, rows - 1), np.clip(u.astype(int), 0, columns - 1)
    return (glass & bars).astype(np.float32), power[at]


def _pier_light(light: Grid, camera: Camera) -> None:
    foot = camera.pixel(_PIER[0], 1.7, _PIER[1])
    high = camera.focal_px * 11.5 / _PIER[1]
    place_tower(light, foot, high, sun=colour("#ff9a70") * 0.30, sky=colour("#7f93cc") * 0.30, from_left=-0.7, bands="#a82a22",
                lamp=colour("#ff5038") * 6)  # fmt: skip
    flare(light, lamp_at(foot, high), high * 0.35, colour("#ff5a3c"), 1.6)


def _boat(light: Grid, camera: Camera, place: tuple[float, float, float], turned: int, hull: str) -> None:
    """A boat at its mooring, at (x, z) and of the given length."""
    x, z, length = place
    px = camera.focal_px * length / z
    size = f'width="{max(40, px * 2.4):.0f}" height="{max(52, px * 3.12):.0f}" viewBox="-60 -142 120 156"'
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {size}><g transform="scale({turned} 1)">{_SLOOP}</g></svg>'
    drawn, alpha = draw(svg.replace("HULL", hull))
    v = np.linspace(0, 1, alpha.shape[0], dtype=np.float32)[:, None, None]
    u = np.linspace(-1, 1, alpha.shape[1], dtype=np.float32)[None, :, None]
    ambient = colour("#8fa0d0") * 0.34 * (1.1 - 0.45 * v) + colour("#ff9a70") * 0.12 * (0.5 + 0.5 * u)
    cabin = (drawn[..., 0] > 0.9) & (drawn[..., 2] < 0.3)
    shown = np.where(cabin[..., None], _WARM * 1.3, drawn * ambient).astype(np.float32)
    across, down = camera.pixel(x, 0.0, z)
    high = px * 1.56
    set_in(light, shown * alpha[..., None], alpha, (across, down + high * 14 / 156), high, below=down)


def _water(upper: Grid, mirrored: Grid, camera: Camera) -> Grid:
    """Lays the mirrored world, shaken by small waves, where the upper one has nothing but water."""
    high, wide = upper.shape[:2]
    first = int(camera.horizon * high)
    rows = np.arange(first, high, dtype=np.float32)[:, None] + 0.5 - camera.horizon * high
    z = (_UP_M * camera.focal_px / np.maximum(rows, 0.6)).astype(np.float32)
    x = ((np.arange(wide, dtype=np.float32)[None, :] + 0.5 - wide / 2) / camera.focal_px * z).astype(np.float32)
    z = np.broadcast_to(z, x.shape)
    fine = (z**2 / (_UP_M * camera.focal_px) * 0.55).astype(np.float32)
    calm = 0.35 + 0.9 * smooth(-0.25, 0.5, fbm(x / 30, z / 55, 4))
    shake = (
        fbm(x / 1.5, z / 0.75, 5, gain=0.55, fine=fine / 0.75) * 0.020 + fbm(x / 9, z / 3.4, 4, fine=fine / 3.4) * 0.012
    )
    side = fbm(x / 1.2 + 40, z / 1.1, 4, fine=fine / 1.1) * 0.006
    lost = np.minimum(fine / 0.75, 1) * 0.005
    jitter = noise(x * 1.9, z * 0.9) * lost
    down = camera.horizon * high - rows + (shake * calm + jitter) * camera.focal_px * 2
    shore = np.where((x * _PIER[1] / z > _PIER[0] - 3.2) & (z < _PIER[1]), _PIER[1] - 3, 207.5)
    down = np.minimum(down, camera.horizon * high - _UP_M * camera.focal_px / shore - 1)
    across = np.arange(wide, dtype=np.float32)[None, :] + side * calm * camera.focal_px * 2
    shown = cv2.remap(
        mirrored, across.astype(np.float32), down.astype(np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT
    )
    angle = rows / camera.focal_px + np.abs(shake) * 0.5
    mirror = (0.05 + 0.92 * (1 - np.clip(angle, 0, 1)) ** 4.2)[..., None]
    shown = shown * mirror + colour("#0d2436") * 0.075 * (1 - mirror)
    result = upper.copy()
    solid = _solid(camera)[first:]
    result[first:] = shown + (upper[first:] - shown) * solid[..., None]
    return result


def _solid(camera: Camera) -> Grid:
    """1 where land or a boat stands before the water."""
    blank = np.zeros((camera.height, camera.width, 3), dtype=np.float32)
    seen = meet(camera, ground, 100, 700, 1500).seen
    cover = seen.astype(np.float32)
    for x, z, length, turned, hull in _BOATS:
        blank[:] = 0
        marked = np.full_like(blank, -9)
        _boat(marked, camera, (x, z, length), turned, hull)
        cover = np.maximum(cover, np.clip(1 - np.minimum(marked[..., 0], 0) / -9, 0, 1))
    return cover
