"""p(x|z) as an object: nats of an example given what the decoder made of its code, and pictures drawn from it.

Every likelihood is called as `log_likelihood(x, params)`, or by its method `log_prob`, with examples x (..., D) and the
decoder's last layer `params` (..., P), P = `params_per_dim` * D, any real numbers: `mlp_vae(D, L)` with P outputs, or
convolutions with `params_per_dim` times the picture's channels. It has `sample` and `mean`, from params to pictures.

All but the Bernoulli also have `log_mass`, the log-probability of an 8-bit picture, and `bits_per_dim`: pixel k / 255
stands for everything between half a level below and half a level above, and the two end levels for all that lies
beyond them. A density has no upper limit and its value depends on the unit of x; a mass has neither fault.
"""

from vaelib.likelihoods._bernoulli import BernoulliLikelihood, ContinuousBernoulliLikelihood
from vaelib.likelihoods._gaussian import GaussianLikelihood, PixelGaussianLikelihood
from vaelib.likelihoods._logistic import LogisticMixtureLikelihood

__all__ = [
    "BernoulliLikelihood",
    "ContinuousBernoulliLikelihood",
    "GaussianLikelihood",
    "LogisticMixtureLikelihood",
    "PixelGaussianLikelihood",
]
