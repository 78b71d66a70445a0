"""Buy till you die: how often will each customer buy again, is he still alive, what will he bring.

One file per model; all are learnt from grouped purchase histories and always converge, thanks to weak priors.
"""
