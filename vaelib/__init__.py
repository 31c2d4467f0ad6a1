"""The small library behind the book *From Autoencoders to VAEs*. Open the file that carries the name you import."""

__version__ = "0.2.0"
