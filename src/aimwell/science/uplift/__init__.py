"""Who is changed by a treatment, and by how much: learners of effects, the choice among them, and what follows."""
