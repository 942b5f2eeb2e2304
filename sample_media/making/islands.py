"""From the air: an archipelago, shallow water round it, a white tower on the outermost rock."""

from __future__ import annotations

import numpy as np

from sample_media.making.develop import Film, Photo, colour, develop
from sample_media.making.noise import Grid, fbm, smooth
from sample_media.making.scenery import Camera, Hit, Sea, Sky, haze, meet, normals, shade
from sample_media.making.tower import place_tower

#: Islands: x, z, half length across, half length ahead, height. All metres.
_ISLES = (
    (-240.0, 1480.0, 330.0, 250.0, 95.0),
    (330.0, 2050.0, 420.0, 330.0, 150.0),
    (-820.0, 2900.0, 560.0, 420.0, 190.0),
    (620.0, 3900.0, 900.0, 520.0, 260.0),
    (-1700.0, 5200.0, 1100.0, 700.0, 330.0),
    (1900.0, 6500.0, 1500.0, 800.0, 420.0),
    (-600.0, 8200.0, 1700.0, 800.0, 460.0),
    (-3600.0, 11500.0, 2600.0, 1200.0, 620.0),
    (3200.0, 13500.0, 3200.0, 1300.0, 700.0),
)
_ROCK = (270.0, 1480.0, 76.0, 58.0, 26.0)


def ground(x: Grid, z: Grid, fine: Grid) -> Grid:
    """Height of the land, and depth of the water where it is negative."""
    x, z = np.broadcast_arrays(x, z)
    shape = fbm(x / 420 + 4.2, z / 420 + 1.7, 9, gain=0.5, fine=fine / 420)
    ragged = fbm(x / 60 + 4.2, z / 60, 6, fine=fine / 60)
    land = np.full(x.shape, -1.6, dtype=np.float32)
    height = np.full_like(land, -60.0)
    for mid_x, mid_z, half_x, half_z, top in (*_ISLES, _ROCK):
        inside = 1 - np.sqrt(((x - mid_x) / half_x) ** 2 + ((z - mid_z) / half_z) ** 2) + 0.55 * shape
        inside = inside + ragged * min(0.5, 16 / half_x)
        on = inside > 0
        size, grain = half_x * 0.85, np.broadcast_to(fine, x.shape)[on]
        crest = fbm(x[on] / size, z[on] / size, 9, gain=0.44, fine=grain / size, ridged=True)
        rise = smooth(0.0, 0.07, inside[on]) * 0.07 + smooth(0.02, 0.95, inside[on]) * (0.12 + 1.25 * crest)
        height[on] = np.maximum(height[on], top * rise)
        land = np.maximum(land, inside * half_x / 300)
    shoal = -3 - 42 * np.clip(-land, 0, 1.4) ** 1.15 - 5 * (1 + shape)
    return np.where(land > 0, height, np.minimum(shoal + 5.5 * smooth(-0.09, 0.0, land), -0.1)).astype(np.float32)


def make(width: int, height: int) -> Photo:
    camera = Camera(int(width * 1.25), int(height * 1.25), up_m=560.0, focal=1.0, horizon=0.17)
    sky = Sky(
        ramp=(
            (0.0, colour("#dfe6e8") * 1.0),
            (0.03, colour("#cfdde6") * 0.98),
            (0.1, colour("#9fc0da") * 0.9),
            (0.4, colour("#4f8ac0") * 0.75),
            (1.2, colour("#245a9a") * 0.6),
        ),
        sun=(-0.62, 0.62),
        sun_colour=colour("#fff0d8"),
        glow_colour=colour("#fff4e0"),
        sun_power=9.0,
        glow_power=0.10,
        cover=0.50,
        cloud_lit=colour("#fffaf2") * 2.0,
        cloud_dark=colour("#b8c6d6") * 0.85,
        cloud_scale=0.55,
        offset=(11.3, 2.2),
    )
    across, down = camera.rays()
    ray_x, ray_y = np.broadcast_arrays(across, down)
    up = np.arctan2(ray_y, np.hypot(1, ray_x)).astype(np.float32)
    light = sky.colour(np.arctan(ray_x).astype(np.float32), up)
    _water(light, ray_x, ray_y, sky, camera)
    _land(light, meet(camera, ground, 650, 24000, 1700, lowest_m=0.3), sky, camera)
    _tower(light, camera)
    film = Film(exposure=0.0, bloom=0.05, contrast=1.12, saturation=1.14, lift=(0.0, 0.008, 0.02), seed=22)
    return develop(light, (width, height), film)


def _shadow(x: Grid, z: Grid) -> Grid:
    """1 in the open, less under clouds that we do not see."""
    return 1 - 0.55 * smooth(0.05, 0.5, fbm(x / 1500 + 2, z / 1500 + 5, 6))


_AIR = colour("#c3d6e6") * 0.86


def _water(light: Grid, ray_x: Grid, ray_y: Grid, sky: Sky, camera: Camera) -> None:
    first = int(camera.horizon * camera.height) + 1
    rx, ry = ray_x[first:], ray_y[first:]
    z = (camera.up_m / -ry).astype(np.float32)
    x = (rx * z).astype(np.float32)
    fine = (z**2 / (camera.up_m * camera.focal_px)).astype(np.float32)
    depth = np.maximum(-ground(x, z, fine * 0.7), 0)[..., None]
    sand = colour("#e9dfbe") * (0.9 + 0.25 * fbm(x / 40, z / 40, 5, fine=fine / 40))[..., None]
    weed = smooth(0.1, 0.5, fbm(x / 70 + 7, z / 70, 6, fine=fine / 70))[..., None] * 0.75
    bed = sand * (1 - weed) + colour("#3f5a3c") * weed
    fade = np.exp(-depth * np.array([0.36, 0.075, 0.055], dtype=np.float32))
    body = bed * fade * 0.85 + colour("#0b4a72") * 0.55 * (1 - fade)
    body = body * (0.45 + 0.55 * _shadow(x, z))[..., None]
    sea = Sea(body=body.astype(np.float32), wind=0.8, towards=2.2, longest_m=34, seed=8, glint=0.5)
    shown = sea.light(x, z, rx, ry, sky, camera)
    lace = fbm(x / 9, z / 9, 5, fine=fine / 9)
    surf = smooth(0.15, 0.9, 1.0 - np.abs(depth[..., 0] - 1.0) / 2.4 + 0.9 * lace - 0.35)
    shown = shown + (colour("#f4f6f2") * 0.95 - shown) * (surf * 0.62)[..., None]
    light[first:] = haze(shown, z, _AIR, 12500)


def _land(light: Grid, hit: Hit, sky: Sky, camera: Camera) -> None:
    nx, ny, nz = normals(hit, ground, camera)
    sx, sy, sz = sky.sun_direction()
    sunny = shade(hit, ground, (sx, sy, sz), reach_m=500, steps=10) * _shadow(hit.x, hit.z)
    direct = np.clip(nx * sx + ny * sy + nz * sz, 0, 1) * sunny
    fine = hit.z / camera.focal_px * 1.3
    tint = fbm(hit.x / 60, hit.z / 60, 8, gain=0.6, fine=fine / 60)
    wood = smooth(-0.05, 0.3, fbm(hit.x / 130 + 3, hit.z / 130, 7, fine=fine / 130) + 0.25 * tint)
    crowns = fbm(hit.x / 9, hit.z / 9, 4, fine=fine / 9)
    grass = colour("#8b8f4c") * (0.85 + 0.4 * tint)[..., None]
    trees = colour("#3d5230") * (0.8 + 0.75 * crowns * wood)[..., None]
    skin = grass + (trees - grass) * wood[..., None]
    steep = smooth(0.80, 0.62, ny + 0.08 * tint)
    rock = colour("#a0917f") * (0.8 + 0.5 * tint)[..., None]
    skin = skin + (rock - skin) * steep[..., None]
    beach = smooth(7.5, 3.0, hit.y + 4 * tint) * smooth(0.75, 0.9, ny)
    skin = skin + (colour("#e6d8b4") - skin) * beach[..., None]
    skin = skin * (0.62 + 0.38 * smooth(0.2, 2.5, hit.y))[..., None]
    shown = skin * (
        direct[..., None] * colour("#fff0d8") * 1.75 + colour("#9dbbe0") * 0.34 * (0.4 + 0.6 * ny)[..., None]
    )
    light[hit.seen] = haze(shown, hit.z, _AIR, 12500)


def _tower(light: Grid, camera: Camera) -> None:
    x, z = _ROCK[0], _ROCK[1]
    at = np.array([x], dtype=np.float32), np.array([z], dtype=np.float32)
    base = float(ground(*at, np.array([0.5], dtype=np.float32))[0])
    foot = camera.pixel(x, base - 0.5, z)
    high = camera.focal_px * 42.0 / z
    place_tower(
        light, foot, high, sun=colour("#fff0d8") * 1.5, sky=colour("#a8c4e6") * 0.5, from_left=0.8, bands="#b3271e"
    )
