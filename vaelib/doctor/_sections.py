"""Where the book explains what: fault -> (page, anchor of the section)."""

_FIVE = ("06_vae_digits", "what-goes-wrong-five-losses-you-will-meet")
_BETA = ("10_which_beta", "only-one-number-of-a-loss-is-a-model")
_MEAN = ("06_vae_digits", "with-the-mean-instead-of-a-draw-the-number-is-no-bound")
_NOISE = ("05_reparameterization", "noise-times-sigma-squared")
_BERNOULLI = ("01_autoencoder", "cross-entropy-is-a-bernoulli-for-binary-pixels-only")
_LOSSES = ("01_autoencoder", "what-an-error-means-two-losses-two-claims-about-noise")
_SIGMA = ("05_reparameterization", "why-the-log-variance-and-not-sigma-or-softplus")

SECTIONS: dict[str, tuple[str, str]] = {
    "NaN": _SIGMA,
    "exploding log-variance": _SIGMA,
    "not done yet": ("06_vae_digits", "two-curves-more-nats-for-the-code-a-sharper-picture"),
    "no reconstruction in the loss": _FIVE,
    "no KL in the loss": _FIVE,
    "wrong sign": _FIVE,
    "KL that is none": ("04_kl", "a-formula-from-a-note-passes-the-test-at-0-0"),
    "KL the wrong way round": ("04_kl", "the-order-of-the-two-distributions-matters"),
    "swapped arguments": _BERNOULLI,
    "hidden beta": _BETA,
    "beta that depends on the batch": ("10_which_beta", "what-goes-wrong-and-how-you-would-notice"),
    "sigma far above the residual": ("11_why_blurry", "grey-blurs-measure-two-numbers-change-one-line"),
    "another beta than meant": _BETA,
    "mean instead of a draw": _MEAN,
    "the mean in eval()": _MEAN,
    "no gradient through the draw": ("05_reparameterization", "a-draw-has-no-slope-until-you-say-how-it-was-drawn"),
    "draw around another mean": _NOISE,
    "shared noise": ("05_reparameterization", "the-encoder-owns-mu-and-sigma-and-the-noise-is-an-input"),
    "spread by the wrong formula": _NOISE,
    "noise that is not N(0, 1)": _NOISE,
    "pixels outside [0, 1]": _BERNOULLI,
    "grey under a Bernoulli": _BERNOULLI,
    "bounded logits": _BERNOULLI,
    "outputs that cannot reach the pictures": _LOSSES,
    "outputs beyond the pictures": _LOSSES,
    "one head for both": ("05_reparameterization", "the-encoder-owns-mu-and-sigma-and-the-noise-is-an-input"),
    "activation on a head": _SIGMA,
    "encoder that does not learn": ("12_posterior_collapse", "three-numbers-say-whether-a-code-is-heard"),
    "posterior collapse": ("12_posterior_collapse", "three-numbers-say-whether-a-code-is-heard"),
    "code that is not read": ("06_vae_digits", "the-workflow-fits-on-one-page-and-both-terms-go-back"),
    "crowd that misses its prior": ("09_learned_prior", "the-kl-is-information-plus-misfit-whatever-the-prior"),
    "encoder far from its best": ("06_vae_digits", "here-the-encoders-guess-costs-more-than-the-shape-of-q"),
    "memorising": ("06_vae_digits", "the-kl-does-not-cure-memorising"),
    "eval() is another model": _FIVE,
}
