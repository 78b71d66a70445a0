"""A fixed draw for each enrolment at each node and visit, computed inside statements, alike on every database.

An enrolment's id is already a uniform digest. It is brought into the field of the prime 2^31 - 1, mixed by an affine
map that depends on seed and node, raised to the fifth power (5 does not divide 2^31 - 2, so that this is a
permutation), and mixed again. All products stay below 2^62, so that no database rounds or overflows.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, literal

from aimwell.core.keys import number_of

PRIME = 2**31 - 1


def draw(enrolment: ColumnElement[int], visit: ColumnElement[int], seed: str, node: str) -> ColumnElement[int]:
    """A whole number in [0, PRIME), spread evenly over enrolments, for that seed, node and visit."""
    first, shift, second, last, turn = (number_of("draw", seed, node, str(i)) % (PRIME - 1) + 1 for i in range(5))
    start = (enrolment % _whole(PRIME) * _whole(first) + visit % _whole(PRIME) * _whole(turn) % _whole(PRIME)) % _whole(
        PRIME
    )
    moved = (start + _whole(shift)) % _whole(PRIME)
    squared = moved * moved % _whole(PRIME)
    fourth = squared * squared % _whole(PRIME)
    return (fourth * moved % _whole(PRIME) * _whole(second) + _whole(last)) % _whole(PRIME)


def drawn(enrolment: int, visit: int, seed: str, node: str) -> int:
    """The same draw for one enrolment, in plain Python."""
    first, shift, second, last, turn = (number_of("draw", seed, node, str(i)) % (PRIME - 1) + 1 for i in range(5))
    moved = ((enrolment % PRIME * first + visit * turn % PRIME) % PRIME + shift) % PRIME
    return (pow(moved, 5, PRIME) * second + last) % PRIME


def _whole(number: int) -> ColumnElement[int]:
    return literal(number, BigInteger)
