"""Densities over codes: what a decoder is fed when it invents, and what the KL of a VAE is measured against.

Every prior is a module with an exact `log_prob(z) -> (...)`, nats, for codes z (..., L), and `sample(n, generator=None)
-> (n, L)`, in the dtype and on the device of its parameters. `GaussianPrior(L)` is the N(0, I) of a plain VAE, or is
fitted to codes in closed form. The others are trained by the book's loop on codes (N, L) of about unit scale:

    fit(prior, prior_loss, codes, epochs=20)           # a mixture, a VampPrior, coupling layers
    fit(flow, flow_matching_loss, codes, epochs=25)    # flow matching, at uniform times

Any of them can stand in the ELBO: `elbo_terms(model, x, log_likelihood, prior=prior)`.
"""

from vaelib.priors._coupling import CouplingPrior
from vaelib.priors._flow import FlowMatchingPrior, euler, flow_matching_loss, heun
from vaelib.priors._gaussian import GaussianPrior
from vaelib.priors._mixture import MixturePrior, VampPrior
from vaelib.priors._shared import prior_loss
from vaelib.priors._stored import StoredPriors, stored_priors

__all__ = [
    "CouplingPrior",
    "FlowMatchingPrior",
    "GaussianPrior",
    "MixturePrior",
    "StoredPriors",
    "VampPrior",
    "euler",
    "flow_matching_loss",
    "heun",
    "prior_loss",
    "stored_priors",
]
