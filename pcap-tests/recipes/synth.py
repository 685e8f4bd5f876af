# SPDX-License-Identifier: MIT
"""All that is written by hand: importing the modules registers their recipes."""

import scene
import synth_answer
import synth_cut
import synth_legs
import synth_loss
import synth_offer
import synth_order
import synth_silence
import synth_size
import synth_wrapped

MODULES = (synth_answer, synth_cut, synth_legs, synth_loss, synth_offer, synth_order, synth_silence, synth_size,
           synth_wrapped)
RECIPES = scene.RECIPES
