"""PyTorch on LeNet-5, eager, with its fused Adam, in the faster of its two memory formats."""

from collections.abc import Callable

import torch
from torch import nn

from bench.peers import THREADS, Case, pytorch

VERSION = pytorch.VERSION
FORMATS = (torch.contiguous_format, torch.channels_last)
LOOK = 12
"""Batches of which each format's time is taken, to choose one."""


def ready(case: Case) -> Callable[[], tuple[float, float]]:
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    data, labels, weights = case.data()
    y = torch.from_numpy(labels)

    def build(memory: torch.memory_format) -> nn.Module:
        model = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
        )  # fmt: skip
        trained = [layer for layer in model if isinstance(layer, nn.Conv2d | nn.Linear)]
        with torch.no_grad():
            for layer, W in zip(trained, map(torch.from_numpy, weights), strict=True):
                if W.shape == (400, 120):  # it flattens channels first
                    W = W.reshape(5, 5, 16, 120).permute(2, 0, 1, 3).reshape(400, 120)
                layer.weight.copy_(W.permute(3, 2, 0, 1) if W.ndim == 4 else W.T)
                assert layer.bias is not None
                layer.bias.zero_()
        return model.to(memory_format=memory)  # type: ignore[call-overload, no-any-return]

    def train(memory: torch.memory_format, batches: int | None = None) -> tuple[float, float]:
        X = torch.from_numpy(data).reshape(-1, 1, 28, 28).to(memory_format=memory)
        return pytorch.timed(build(memory), X, y, case, batches)

    for memory in FORMATS:
        train(memory, LOOK)
    fastest = min(FORMATS, key=lambda memory: train(memory, LOOK)[0])
    return lambda: train(fastest)
