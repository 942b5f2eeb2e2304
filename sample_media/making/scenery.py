"""Sky, sea and land as a camera sees them. Metres in the world: x to the right, y up, z ahead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sample_media.making.noise import Grid, fbm, smooth

Mask = NDArray[np.bool_]
#: Height of the land at (x, z); the third is the size in metres of what may be left out.
Ground = Callable[[Grid, Grid, Grid], Grid]


@dataclass(frozen=True)
class Camera:
    """A camera that looks along z. `focal` is in picture widths; `horizon` is where it lies, from the top."""

    width: int
    height: int
    up_m: float
    focal: float = 1.2
    horizon: float = 0.5

    @property
    def focal_px(self) -> float:
        return self.focal * self.width

    def rays(self) -> tuple[Grid, Grid]:
        """Slopes of every pixel's ray: x/z as one row, y/z as one column."""
        across = (np.arange(self.width, dtype=np.float32) + 0.5 - self.width / 2) / self.focal_px
        down = (self.horizon * self.height - np.arange(self.height, dtype=np.float32) - 0.5) / self.focal_px
        return across[None, :].astype(np.float32), down[:, None].astype(np.float32)

    def pixel(self, x_m: float, y_m: float, z_m: float) -> tuple[float, float]:
        """Where a point of the world is in the picture."""
        across = self.width / 2 + self.focal_px * x_m / z_m
        return across, self.horizon * self.height - self.focal_px * (y_m - self.up_m) / z_m


@dataclass(frozen=True)
class Sky:
    """Colours from the horizon up as (elevation in radians, linear colour), a sun, and a layer of clouds."""

    ramp: tuple[tuple[float, Grid], ...]
    sun: tuple[float, float]  # azimuth from straight ahead, elevation: radians
    sun_colour: Grid
    glow_colour: Grid
    sun_power: float = 0.0
    glow_power: float = 1.0
    cover: float = 0.0
    cloud_lit: Grid | None = None
    cloud_dark: Grid | None = None
    cloud_scale: float = 1.0
    offset: tuple[float, float] = (0.0, 0.0)

    def sun_direction(self) -> tuple[float, float, float]:
        azimuth, elevation = self.sun
        level = np.cos(elevation)
        return float(np.sin(azimuth) * level), float(np.sin(elevation)), float(np.cos(azimuth) * level)

    def colour(self, azimuth: Grid, elevation: Grid, *, octaves: int = 7, disc: bool = True) -> Grid:
        """The light from these directions. Without its disc the sun still glows."""
        stops = np.array([stop for stop, _ in self.ramp])
        eased = np.maximum(elevation, 0)
        shown = np.stack([np.interp(eased, stops, [c[i] for _, c in self.ramp]) for i in range(3)], axis=-1)
        shown = shown.astype(np.float32)
        apart = self._apart(azimuth, elevation)
        flat = np.exp(-(((azimuth - self.sun[0]) / 0.55) ** 2) - ((elevation - self.sun[1]) / 0.16) ** 2)
        glow = 0.55 * flat + 0.6 * np.exp(-apart / 0.16) + 1.4 * np.exp(-apart / 0.035)
        shown += (glow * self.glow_power)[..., None] * self.glow_colour
        if self.cover > 0:
            shown = self._clouds(shown, azimuth, eased, apart, octaves)
        if disc and self.sun_power > 0:
            shown += (smooth(0.0125, 0.0105, apart) * self.sun_power)[..., None] * self.sun_colour
        return shown

    def _apart(self, azimuth: Grid, elevation: Grid) -> Grid:
        sx, sy, sz = self.sun_direction()
        level = np.cos(elevation)
        cosine = np.sin(azimuth) * level * sx + np.sin(elevation) * sy + np.cos(azimuth) * level * sz
        return np.asarray(np.arccos(np.clip(cosine, -1, 1)), dtype=np.float32)

    def _clouds(self, behind: Grid, azimuth: Grid, elevation: Grid, apart: Grid, octaves: int) -> Grid:
        """A thin layer, far away near the horizon; its density a little towards the sun says what is lit."""
        assert self.cloud_lit is not None
        assert self.cloud_dark is not None
        away = 1 / (np.tan(np.maximum(elevation, 0.0)) + 0.045)
        scale = 0.42 * self.cloud_scale
        u = (np.sin(azimuth) * away * scale + self.offset[0]).astype(np.float32)
        v = (np.cos(azimuth) * away * scale * 1.5 + self.offset[1]).astype(np.float32)
        fine = (away**2 * scale * 1.2e-3).astype(np.float32)
        bend = fbm(u * 0.7, v * 0.7, 3)
        shape = fbm(u + 0.5 * bend, v + 0.35 * bend, octaves, gain=0.55, fine=fine)
        towards = fbm(
            u + 0.5 * bend + 0.10 * np.sin(self.sun[0]), v + 0.35 * bend + 0.14, octaves, gain=0.55, fine=fine
        )
        body = smooth(0.55 - self.cover, 1.05 - self.cover, shape)
        lit = np.clip(0.45 + 1.5 * (shape - towards) + 0.5 * (1 - body), 0, 1)
        near = np.exp(-apart / 0.5)
        edge = body * (1 - body) * 4 * np.exp(-apart / 0.22)
        cloud = self.cloud_dark + (self.cloud_lit - self.cloud_dark) * (lit * (0.35 + 0.9 * near))[..., None]
        cloud = cloud + self.glow_colour * (edge * self.glow_power * 0.9)[..., None]
        veil = body * smooth(0.0, 0.05, elevation) * 0.94
        return np.asarray(behind + (cloud - behind) * veil[..., None], dtype=np.float32)


@dataclass(frozen=True)
class Sea:
    """Water. `wind` scales every slope; `towards` is where the waves run, radians from straight ahead."""

    body: Grid
    wind: float = 1.0
    towards: float = 2.6
    longest_m: float = 40.0
    waves: int = 44
    seed: int = 5
    glint: float = 1.0

    def light(self, x: Grid, z: Grid, ray_x: Grid, ray_y: Grid, sky: Sky, camera: Camera) -> Grid:
        """What comes from the water at (x, z), seen along the ray (ray_x, ray_y, 1)."""
        slope_x, slope_z, hidden = self._slopes(x, z, camera)
        length = np.sqrt(ray_x**2 + ray_y**2 + 1)
        dx, dy, dz = ray_x / length, ray_y / length, 1 / length
        norm = np.sqrt(slope_x**2 + slope_z**2 + 1)
        nx, ny, nz = -slope_x / norm, 1 / norm, -slope_z / norm
        facing = np.clip(-(dx * nx + dy * ny + dz * nz), 0.0, 1)
        facing_eff = np.clip(facing + 0.9 * np.sqrt(hidden), 0.015, 1)
        mirror = 0.02 + 0.98 * (1 - facing_eff) ** 5
        rx, ry, rz = dx + 2 * facing * nx, dy + 2 * facing * ny, dz + 2 * facing * nz
        ry = np.abs(ry) + 0.9 * np.sqrt(hidden) * 0.6
        up = np.arctan2(ry, np.hypot(rx, rz)).astype(np.float32)
        shown = sky.colour(np.arctan2(rx, rz).astype(np.float32), up, octaves=3, disc=False)
        shown = shown * mirror[..., None] + self.body * (1 - mirror[..., None])
        if sky.sun_power > 0 and self.glint > 0:
            shown += self._glint(slope_x, slope_z, hidden, (dx, dy, dz), sky)[..., None] * sky.sun_colour
        return np.asarray(shown, dtype=np.float32)

    def _slopes(self, x: Grid, z: Grid, camera: Camera) -> tuple[Grid, Grid, Grid]:
        """Slopes of the waves that a pixel can show, and the variance of those that it cannot."""
        rng = np.random.default_rng(self.seed)
        deep = (z**2 / (camera.up_m * camera.focal_px)).astype(np.float32)
        wide = (z / camera.focal_px).astype(np.float32)
        bend, curl = fbm(x / 60, z / 60, 3) * 1.2, fbm(x / 11 + 5, z / 16, 3) * 1.1
        gust = 0.75 + 0.5 * smooth(-0.5, 0.5, fbm(x / 260, z / 700, 4))
        slope_x, slope_z = np.zeros_like(x), np.zeros_like(x)
        hidden = np.full_like(x, 0.0006 * self.wind**2)
        for index in range(self.waves):
            share = index / (self.waves - 1)
            length = self.longest_m * (0.35 / self.longest_m) ** share
            angle = self.towards + rng.normal(0, 0.5 + 0.5 * share)
            k = 2 * np.pi / length
            kx, kz = k * np.sin(angle), k * np.cos(angle)
            steep = self.wind * 0.034 * (1.0 if length < 12 else (12 / length) ** 0.7)
            blur = (kz * deep * 0.38) ** 2 + (kx * wide * 0.38) ** 2
            seen = np.exp(-blur).astype(np.float32)
            phase = kx * x + kz * z + rng.random() * 2 * np.pi + bend * min(2.5, k * 6) + curl * min(2.2, k)
            wave = np.cos(phase.astype(np.float32)) * seen * steep * gust
            slope_x += (np.sin(angle) * wave).astype(np.float32)
            slope_z += (np.cos(angle) * wave).astype(np.float32)
            hidden += (steep**2 * 0.5 * (1 - seen**2) * gust).astype(np.float32)
        return slope_x, slope_z, hidden

    def _glint(self, slope_x: Grid, slope_z: Grid, hidden: Grid, ray: tuple[Grid, Grid, Grid], sky: Sky) -> Grid:
        """Sunlight off facets that happen to lie right, for the slopes that no pixel shows."""
        sx, sy, sz = sky.sun_direction()
        hx, hy, hz = sx - ray[0], sy - ray[1], sz - ray[2]
        off_x, off_z = -hx / hy - slope_x, -hz / hy - slope_z
        spread = hidden + 0.0012
        chance = np.exp(-(off_x**2 + off_z**2 * 0.8) / (2 * spread)) / (2 * np.pi * spread)
        return np.asarray(chance * 0.010 * sky.sun_power * self.glint, dtype=np.float32)


@dataclass(frozen=True)
class Hit:
    """Where rays meet land: `seen` says which pixels do; the places are of those pixels alone, in order."""

    seen: Mask
    x: Grid
    y: Grid
    z: Grid


def meet(camera: Camera, ground: Ground, near_m: float, far_m: float, steps: int, *, lowest_m: float = 0.0) -> Hit:
    """The first land on every pixel's ray. `ground(x, z, fine)` is the height; `fine` is a pixel's size in metres.

    Land below `lowest_m` is under water.

    Each column keeps the highest slope that it has met so far, which only grows; a pixel looks up where it was passed.
    """
    across, down = camera.rays()
    depth = np.geomspace(near_m, far_m, steps, dtype=np.float32)[:, None]
    fine = np.broadcast_to(depth / camera.focal_px, (steps, camera.width))
    x = across * depth
    heights = ground(x, np.broadcast_to(depth, x.shape), fine)
    reached = np.maximum.accumulate((heights - camera.up_m) / depth, axis=0)
    z = np.full((camera.height, camera.width), np.inf, dtype=np.float32)
    wanted = down[:, 0]
    log_near, log_step = np.log(near_m), np.log(far_m / near_m) / (steps - 1)
    for column in range(camera.width):
        passed = reached[:, column]
        index = np.searchsorted(passed, wanted)
        inside = (index < steps) & (index > 0)
        after = index[inside]
        low, high = passed[after - 1], passed[after]
        part = (wanted[inside] - low) / np.maximum(high - low, 1e-9)
        z[inside, column] = np.exp(log_near + (after - 1 + part) * log_step)
    high = camera.up_m + down * np.where(np.isfinite(z), z, 0)
    seen = np.isfinite(z) & (high > lowest_m)
    return Hit(seen, np.broadcast_to(across, z.shape)[seen] * z[seen], high[seen].astype(np.float32), z[seen])


def normals(hit: Hit, ground: Ground, camera: Camera, *, soften: float = 1.5) -> tuple[Grid, Grid, Grid]:
    """Which way the land faces, from heights a pixel or so apart."""
    step = np.maximum(hit.z / camera.focal_px * soften, 0.02).astype(np.float32)
    middle = ground(hit.x, hit.z, step)
    slope_x = (ground(hit.x + step, hit.z, step) - middle) / step
    slope_z = (ground(hit.x, hit.z + step, step) - middle) / step
    norm = np.sqrt(slope_x**2 + slope_z**2 + 1)
    return -slope_x / norm, (1 / norm).astype(np.float32), -slope_z / norm


def shade(hit: Hit, ground: Ground, sun: tuple[float, float, float], *, reach_m: float, steps: int = 14) -> Grid:
    """1 where the sun reaches, 0 in shadow, soft between."""
    lit = np.ones_like(hit.x)
    for distance in np.geomspace(reach_m / 80, reach_m, steps):
        fine = np.full_like(hit.x, distance * 0.04)
        above = ground(hit.x + sun[0] * distance, hit.z + sun[2] * distance, fine) - (hit.y + sun[1] * distance)
        lit = np.minimum(lit, 1 - smooth(0.0, max(0.4, distance * 0.05), above))
    return lit


def haze(light: Grid, distance: Grid, air: Grid, clear_m: float, *, top: Grid | None = None) -> Grid:
    """Air between us and what is seen: `clear_m` lets 37 % through. `top` thins it, 0..1."""
    through = np.exp(-distance / clear_m * (1.0 if top is None else top))
    return np.asarray(air + (light - air) * through[..., None], dtype=np.float32)
