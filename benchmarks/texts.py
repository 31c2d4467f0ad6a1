"""The sentences of book/results.md: what stands around the numbers, and which row each note belongs to."""

HEAD = """# Results and speed

This page is written by `python -m benchmarks --save` from what it measured. Each row is a race between the usual way
and the library's, in one run, taking turns; the ratio is the median over five pairs, and the range its least and
greatest value, in brackets. Seconds belong to one machine, ratios travel better.

"""
TAIL = """
The usual way to train is that of PyTorch's own example, `vae/main.py`: torchvision with `ToTensor`, a `DataLoader`,
Adam at 1e-3 on batches of 128, one `.item()` a step.
"""
FRONTIER = """## Rate and distortion at twelve betas

The runs of {doc}`10_which_beta`: MNIST in grey, a Gaussian decoder with sigma = 1, 784-256-32, six passes each, test
pictures, three seeds. The distortion is half the summed squared error, without the constant of the density.
"""
PRIORS = """## What a learned prior mends

The runs of {doc}`09_learned_prior`. Crowds: mixtures whose KL to N(0, I) is known, and four estimates of it, in nats.
Digits: priors fitted to the codes of a VAE on MNIST, four passes; gain in nats on 2000 held-out codes over N(0, I);
then 2000 inventions and 2000 test digits by the ruler, k = 5, in 64 features of a classifier; `plain` is an autoencoder
without a KL. Faces: the VAE of {doc}`07_faces`, 1000 inventions and 1000 test faces, in 64 features of a network that
tells the factors. Both flows look mostly at times near the middle, but for the one that says otherwise.
"""
CHAPTERS = """## How long a chapter runs

From the first cell to the last, the kernel's start included, with MNIST on the disk.
"""
FINDINGS = """## What the findings give from other seeds

The cells of chapters 6 and 7 that measure a finding, run again with every seed of the chapter moved.
"""
SEEDS = """The 10,000 test images are drawn black or white once, with a fixed seed; each is judged with one drawn z;
nothing was chosen on them."""
NOTES = [  # (key, word of the name, what the race means): said only where such a row is in the table
    (
        "target",
        "whole process",
        """In the row of the tenth epoch both clocks start cold: each side is a whole process, with the start of
Python, its imports, reading the data, training and the judge's look at the end.
""",
    ),
    (
        "target",
        "running process",
        """In the row of the tenth epoch both clocks start warm: Python runs, its imports are done and the data are
read. Whoever starts a script waits for these too, on either side, so from a cold start the factor is smaller.
`python -m benchmarks target` measures it.
""",
    ),
    (
        "target",
        "tenth epoch",
        """There the usual way looks at the test images after every epoch, as the example does. Both sides are judged
by one evaluation function on the 10,000 test images, with the same grey-pixel loss; a seed in which ours ends above the
other's stops the run. Ours makes 4 passes with batches of 320, a step size that rises and falls and, where the machine
multiplies bfloat16 faster than float32, with its layers in
bfloat16 (`torch.autocast`); its densities, its weights and the judge stay in float32.
""",
    ),
    (
        "likelihood",
        "",
        """For log p the usual way copies each picture 500 times, encodes every copy, draws, decodes and
weighs, ten times over; `vaelib` encodes once and streams over the draws.
""",
    ),
    (
        "covariance",
        "built first",
        """For the linear autoencoder the usual way takes its gradient from all 60,000 images. Where the covariance
$C$ is built first, building it is on our clock. It is paid once, so the gain grows with the number of steps.
""",
    ),
    (
        "covariance steps",
        "there already",
        """Where the covariance is there already, the row compares the steps alone, with a gradient from all 60,000
images on the usual side. Building $C$ is not on that clock. It has to be paid once, and over ten steps the gain with it
is far smaller than this row says.
""",
    ),
]
