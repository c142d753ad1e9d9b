"""An ONNX graph whose nodes are replaced one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


class Graph:
    """Looks up and replaces nodes of a graph; `finish` writes the changes into it."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self._graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._producer = {name: node for node in graph.node for name in node.output}
        self._consumers: dict[str, list[onnx.NodeProto]] = {}
        for node in graph.node:
            for name in node.input:
                self._consumers.setdefault(name, []).append(node)
        self._replaced: dict[str, list[onnx.NodeProto]] = {}
        """New nodes by the first output of the node that they stand in for."""
        self._first: list[onnx.NodeProto] = []
        self._taken = {*self._constants, *self._producer, *(value.name for value in graph.input)}

    @property
    def original(self) -> Sequence[onnx.NodeProto]:
        """The nodes as they were in the beginning, in order."""
        return self._graph.node

    def nodes(self) -> list[onnx.NodeProto]:
        """The nodes, old and new, that an output of the graph needs, in order."""
        nodes = list(self._first)
        for node in self._graph.node:
            nodes.extend(self._replaced.get(node.output[0], [node]))
        needed = {output.name for output in self._graph.output}
        kept = []
        for node in reversed(nodes):
            if needed.intersection(node.output):
                needed.update(node.input)
                kept.append(node)
        return kept[::-1]

    def replace(self, node: onnx.NodeProto, new: list[onnx.NodeProto]) -> None:
        """Put `new` in the place of an original node; an empty list removes it."""
        self._replaced[node.output[0]] = new

    def prepend(self, *new: onnx.NodeProto) -> None:
        """Add nodes that read nothing but constants."""
        self._first.extend(new)

    def producer(self, name: str) -> onnx.NodeProto | None:
        """The original node that computes `name`; None for inputs and constants."""
        return self._producer.get(name)

    def only_consumer(self, name: str) -> onnx.NodeProto | None:
        """The original node that reads `name`, where there is exactly one and no output is."""
        readers = self._consumers.get(name, [])
        is_output = any(output.name == name for output in self._graph.output)
        return readers[0] if len(readers) == 1 and not is_output else None

    def input_type(self, name: str) -> int | None:
        """The TensorProto element type of an input of the graph; None for anything else."""
        types = (i.type.tensor_type.elem_type for i in self._graph.input if i.name == name)
        return next(types, None)

    def is_constant(self, name: str, rank: int | None = None) -> bool:
        """Whether `name` is a float32 constant (of that rank)."""
        tensor = self._constants.get(name)
        if tensor is None or tensor.data_type != onnx.TensorProto.FLOAT:
            return False
        return rank is None or len(tensor.dims) == rank

    def constants_read(self) -> list[str]:
        """Names of the constants that a node still reads, sorted."""
        read = {name for node in self.nodes() for name in node.input}
        return sorted(read & self._constants.keys())

    def array(self, name: str) -> np.ndarray:
        """The value of a constant."""
        return numpy_helper.to_array(self._constants[name])

    def add(self, name: str, values: np.ndarray | np.generic) -> str:
        """Add a constant under a name like the one given; gives its name."""
        unique, count = name, 0
        while unique in self._taken:
            if unique in self._constants and np.array_equal(self.array(unique), values):
                return unique
            count += 1
            unique = f"{name}_{count}"
        self._taken.add(unique)
        self._constants[unique] = numpy_helper.from_array(np.asarray(values, order="C"), unique)
        return unique

    def remove_constant(self, name: str) -> None:
        """Forget a constant, whose name a new node computes from now on."""
        del self._constants[name]

    def finish(self) -> None:
        """Write the new nodes and constants into the graph: none that nothing reads, none twice."""
        nodes, constants = self.nodes(), [self._constants[name] for name in self.constants_read()]
        first: dict[tuple[object, ...], str] = {}
        same = {
            t.name: first.setdefault((t.data_type, *t.dims, numpy_helper.to_array(t).tobytes()), t.name)
            for t in constants
        }
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        for node in self._graph.node:
            node.input[:] = [same.get(name, name) for name in node.input]
        del self._graph.initializer[:]
        self._graph.initializer.extend(t for t in constants if same[t.name] == t.name)


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    """The attributes of a node by name."""
    return {a.name: helper.get_attribute_value(a) for a in node.attribute}
