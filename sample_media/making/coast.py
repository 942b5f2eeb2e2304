"""Dusk: headlands one behind another, a low sun in the haze, its path on the water."""

from __future__ import annotations

import numpy as np

from sample_media.making.develop import Film, Photo, colour, develop
from sample_media.making.noise import Grid, fbm, smooth
from sample_media.making.scenery import Camera, Hit, Sea, Sky, haze, meet, normals, shade
from sample_media.making.tower import flare, lamp_at, place_tower

#: Tips of the headlands: x, z, how far they reach along z, height of their cliffs. All metres.
_CAPES = (
    (52.0, 255.0, 70.0, 46.0),
    (18.0, 470.0, 95.0, 50.0),
    (-40.0, 980.0, 170.0, 92.0),
    (-30.0, 1800.0, 300.0, 130.0),
    (-480.0, 3600.0, 700.0, 190.0),
    (-200.0, 7200.0, 1500.0, 300.0),
)
_TOWER = (56.0, 470.0)


def ground(x: Grid, z: Grid, fine: Grid) -> Grid:
    """Height of the land: a plateau with hills, cut off by cliffs."""
    height = np.full(np.broadcast(x, z).shape, -6.0, dtype=np.float32)
    bays = fbm(x / 95, z / 95, 8, gain=0.52, fine=fine / 95)
    crags = fbm(x / 16, z / 16, 6, fine=fine / 16, ridged=True)
    gully = fbm(x / 70 + 9, z / 70, 6, gain=0.42, fine=fine / 70)
    for tip_x, tip_z, reach, cliff in _CAPES:
        wide = reach * 1.25
        land = (x - tip_x) / wide - ((z - tip_z) / reach) ** 2 + 0.26 * bays + 0.03 * crags
        rise = smooth(0.0, 0.16, land) * 0.80 + smooth(0.10, 0.9, land) * 0.34
        top = cliff * rise * (1 + 0.15 * gully * smooth(0.15, 0.6, land))
        ledge = cliff * 0.10 * crags * smooth(0, 0.08, land) * (1 - 0.96 * smooth(0.13, 0.22, land))
        height = np.maximum(height, -6 + (top + ledge + 6) * smooth(-0.02, 0.03, land))
    return height


def make(width: int, height: int) -> Photo:
    camera = Camera(int(width * 1.3), int(height * 1.3), up_m=58.0, focal=1.2, horizon=0.47)
    sky = Sky(
        ramp=(
            (0.0, colour("#f0a878") * 0.85),
            (0.045, colour("#eeb48e") * 0.85),
            (0.12, colour("#b9a6a8") * 0.75),
            (0.24, colour("#6d87a6") * 0.66),
            (0.5, colour("#2f5078") * 0.6),
        ),
        sun=(-0.195, 0.062),
        sun_colour=colour("#ffb070"),
        glow_colour=colour("#ff9a56"),
        sun_power=34.0,
        glow_power=0.62,
        cover=0.42,
        cloud_lit=colour("#ffb694") * 1.1,
        cloud_dark=colour("#6f6a86") * 0.62,
        cloud_scale=1.15,
        offset=(3.1, 7.4),
    )
    across, down = camera.rays()
    ray_x, ray_y = np.broadcast_arrays(across, down)
    up = np.arctan2(ray_y, np.hypot(1, ray_x)).astype(np.float32)
    azimuth = np.arctan(ray_x).astype(np.float32)
    light = sky.colour(azimuth, up)
    hit = meet(camera, ground, 90, 12000, 1500)
    _water(light, ray_x, ray_y, sky, camera)
    _land(light, hit, sky, camera)
    _beacon(light, camera, sky)
    film = Film(exposure=0.12, bloom=0.07, contrast=1.1, saturation=1.08, lift=(0.012, 0.016, 0.034), seed=21)
    return develop(light, (width, height), film)


def _air(azimuth: Grid, sky: Sky) -> Grid:
    """The haze's own light: warm towards the sun, blue away from it."""
    warm = np.exp(-(((azimuth - sky.sun[0]) / 0.27) ** 2))[..., None]
    return np.asarray(colour("#a99aa8") * 0.72 * (1 - warm) + colour("#ffb27c") * 0.98 * warm, dtype=np.float32)


def _water(light: Grid, ray_x: Grid, ray_y: Grid, sky: Sky, camera: Camera) -> None:
    first = int(camera.horizon * camera.height) + 1
    rx, ry = ray_x[first:], ray_y[first:]
    z = (camera.up_m / -ry).astype(np.float32)
    x = (rx * z).astype(np.float32)
    sea = Sea(body=colour("#0d2c3a") * 0.5, wind=0.8, towards=2.75, longest_m=46, glint=0.8)
    shown = sea.light(x, z, rx, ry, sky, camera)
    fine = (z / camera.focal_px * 3).astype(np.float32)
    near = np.zeros_like(x)
    for cast in (3.0, 8.0, 16.0, 28.0):
        near += smooth(-6.0, 1.0, ground(x + cast, z, fine)) / 4
    lace = fbm(x / 7, z / 12, 7, gain=0.62, fine=fine / 7) + 0.4 * fbm(x / 30, z / 46, 4)
    foam = smooth(0.0, 0.75, near + 0.7 * lace - 0.32) * smooth(0.0, 0.45, near)
    foam_light = colour("#b9a9b0") * 0.5
    shown = shown + (foam_light - shown) * (foam * 0.8)[..., None]
    shown = haze(shown, z, _air(np.arctan(rx).astype(np.float32), sky), 6500)
    light[first:] = shown


def _land(light: Grid, hit: Hit, sky: Sky, camera: Camera) -> None:
    nx, ny, nz = normals(hit, ground, camera, soften=1.2)
    sx, sy, sz = sky.sun_direction()
    sunny = shade(hit, ground, (sx, sy, sz), reach_m=420)
    direct = np.clip(nx * sx + ny * sy + nz * sz, 0, 1) * sunny
    fine = hit.z / camera.focal_px
    tint = fbm(hit.x / 23, hit.z / 23, 6, fine=fine / 23)
    strata = fbm(hit.x / 40, hit.y / 5 + hit.x / 50 + tint * 0.9, 5, fine=fine / 5)
    rock = colour("#8b8078") * (0.8 + 0.42 * strata * 0.8 + 0.3 * tint)[..., None]
    grass = colour("#6b7040") * (0.85 + 0.5 * tint)[..., None]
    green = smooth(0.70, 0.90, ny + 0.10 * tint) * smooth(8, 18, hit.y)
    skin = rock + (grass - rock) * green[..., None]
    wet = 1 - smooth(0.0, 5.0, hit.y + tint)
    skin = skin * (1 - 0.55 * wet)[..., None]
    ambient = colour("#7f8fb4") * 0.42 * (0.45 + 0.55 * ny)[..., None]
    back = colour("#ffae7a") * 0.16 * np.clip(-nx * 0.7 + 0.3, 0, 1)[..., None]
    shown = skin * (ambient + back + direct[..., None] * colour("#ffb074") * 3.0)
    azimuth = np.arctan2(hit.x, hit.z).astype(np.float32)
    low = 0.55 + 0.9 * np.exp(-np.maximum(hit.y, 0) / 45)
    shown = haze(shown, hit.z, _air(azimuth, sky), 2700, top=low)
    light[hit.seen] = shown


def _beacon(light: Grid, camera: Camera, sky: Sky) -> None:
    x, z = _TOWER
    at = np.array([[x]], dtype=np.float32), np.array([[z]], dtype=np.float32)
    base = float(ground(*at, np.array([[0.3]], dtype=np.float32))[0, 0])
    foot = camera.pixel(x, base - 1.5, z)
    high = camera.focal_px * 36.0 / z
    warm = colour("#ffdba8")
    place_tower(light, foot, high, sun=colour("#ffb074") * 2.2, sky=colour("#8d9ac0") * 0.5, from_left=0.75,
                lamp=warm * 9, air=_air(np.array([[0.1]], np.float32), sky)[0, 0], veil=0.13)  # fmt: skip
    flare(light, lamp_at(foot, high), high * 0.30, warm, 2.0)
