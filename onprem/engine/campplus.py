"""CAM++, the network that turns speech into a 192-dimensional voice vector.

Our own code for the architecture of 3D-Speaker's CAM++ (Apache-2.0, https://github.com/modelscope/
3D-Speaker; Wang et al., "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", Interspeech 2023). Attribute names are those of the published checkpoint
(`campplus_cn_en_common.pt`), so that its state dict loads as it is.

Shapes: (batch, frames, 80) log Mel features every 10 ms -> (batch, 192). Inside, features are
(batch, channels, frames); the first TDNN layer halves the frame rate to one in 20 ms.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

MEL_BINS = 80
DIMENSION = 192
GROWTH = 32
BOTTLENECK = 4 * GROWTH
CONTEXT_FRAMES = 100  # of 20 ms: the masks look at the mean of 2 s as well as at the whole
BLOCKS = ((12, 1), (24, 2), (16, 2))  # (layers, dilation) of the three dense blocks


def _norm_relu(channels: int) -> nn.Sequential:
    return nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(channels), relu=nn.ReLU()))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with a shortcut; `stride` applies to the frequency axis only."""

    def __init__(self, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, (stride, 1), 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.shortcut = nn.Sequential()
        if stride != 1:
            self.shortcut.append(nn.Conv2d(channels, channels, 1, (stride, 1), bias=False))
            self.shortcut.append(nn.BatchNorm2d(channels))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ConvolutionHead(nn.Module):
    """2-D convolutions over (frequency, time): (batch, 80, frames) -> (batch, 320, frames)."""

    def __init__(self, channels: int = 32) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, channels, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1 = nn.Sequential(ResidualBlock(channels, 2), ResidualBlock(channels, 1))
        self.layer2 = nn.Sequential(ResidualBlock(channels, 2), ResidualBlock(channels, 1))
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        self.out_channels = channels * MEL_BINS // 8

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x.unsqueeze(1))))
        y = self.layer2(self.layer1(y))
        y = functional.relu(self.bn2(self.conv2(y)))
        return y.flatten(1, 2)


class ContextMask(nn.Module):
    """A dilated convolution whose output is masked by its local and global context."""

    def __init__(self, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            BOTTLENECK, GROWTH, 3, padding=dilation, dilation=dilation, bias=False
        )
        self.linear1 = nn.Conv1d(BOTTLENECK, BOTTLENECK // 2, 1)
        self.linear2 = nn.Conv1d(BOTTLENECK // 2, GROWTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        context = x.mean(-1, keepdim=True) + self._segment_means(x)
        mask = torch.sigmoid(self.linear2(functional.relu(self.linear1(context))))
        return self.linear_local(x) * mask

    @staticmethod
    def _segment_means(x: Tensor) -> Tensor:
        means = functional.avg_pool1d(x, CONTEXT_FRAMES, CONTEXT_FRAMES, ceil_mode=True)
        return means.repeat_interleave(CONTEXT_FRAMES, dim=-1)[..., : x.shape[-1]]


class DenseLayer(nn.Module):
    """One layer of a dense block: adds `GROWTH` channels to those it reads."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.nonlinear1 = _norm_relu(channels)
        self.linear1 = nn.Conv1d(channels, BOTTLENECK, 1, bias=False)
        self.nonlinear2 = _norm_relu(BOTTLENECK)
        self.cam_layer = ContextMask(dilation)

    def forward(self, x: Tensor) -> Tensor:
        y = self.cam_layer(self.nonlinear2(self.linear1(self.nonlinear1(x))))
        return torch.cat([x, y], dim=1)


def _dense_block(layers: int, channels: int, dilation: int) -> nn.Sequential:
    names = (f"tdnnd{index + 1}" for index in range(layers))
    parts = (DenseLayer(channels + index * GROWTH, dilation) for index in range(layers))
    return nn.Sequential(OrderedDict(zip(names, parts, strict=True)))


def _transit(channels: int) -> nn.Sequential:
    halve = nn.Conv1d(channels, channels // 2, 1, bias=False)
    return nn.Sequential(OrderedDict(nonlinear=_norm_relu(channels), linear=halve))


def _tdnn(channels: int, out_channels: int) -> nn.Sequential:
    convolution = nn.Conv1d(channels, out_channels, 5, stride=2, padding=2, bias=False)
    return nn.Sequential(OrderedDict(linear=convolution, nonlinear=_norm_relu(out_channels)))


def _dense(channels: int) -> nn.Sequential:
    norm = nn.Sequential(OrderedDict(batchnorm=nn.BatchNorm1d(DIMENSION, affine=False)))
    project = nn.Conv1d(channels, DIMENSION, 1, bias=False)
    return nn.Sequential(OrderedDict(linear=project, nonlinear=norm))


class StatisticsPooling(nn.Module):
    """Mean and unbiased deviation over time: (batch, channels, n) -> (batch, 2 * channels, 1)."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([x.mean(-1, keepdim=True), x.std(-1, keepdim=True)], dim=1)


class CamPlusPlus(nn.Module):
    """The whole network: (batch, frames, 80) features -> (batch, 192), not normalised."""

    def __init__(self) -> None:
        super().__init__()
        self.head = ConvolutionHead()
        stages: OrderedDict[str, nn.Module] = OrderedDict()
        channels = 128
        stages["tdnn"] = _tdnn(self.head.out_channels, channels)
        for index, (layers, dilation) in enumerate(BLOCKS, 1):
            stages[f"block{index}"] = _dense_block(layers, channels, dilation)
            channels += layers * GROWTH
            stages[f"transit{index}"] = _transit(channels)
            channels //= 2
        stages["out_nonlinear"] = _norm_relu(channels)
        stages["stats"] = StatisticsPooling()
        stages["dense"] = _dense(2 * channels)
        self.xvector = nn.Sequential(stages)

    def forward(self, features: Tensor) -> Tensor:
        embedding: Tensor = self.xvector(self.head(features.transpose(1, 2))).squeeze(-1)
        return embedding
