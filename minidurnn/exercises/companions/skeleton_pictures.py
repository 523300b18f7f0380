"""The stick figures of lesson 13."""

from textwrap import fill

from ...plots import BLACK, BLUE, RED

COLOURS = {"left": BLUE, "right": RED}                        # of arms and legs; the rest is black


def draw_pose(axes, pose, data, left, bottom=0.0, wide=1.0, tall=1.0, name="", colour=None):
    """One pose of 66 numbers as a stick figure, seen from the front and a little from the person's right.

    data           a dictionary with "parents", the joint to which each joint is connected, and "joint_names"
    left, bottom   where the figure stands
    wide, tall     what 300 mm are in the units of the axes
    name           stands below it, in lines of 14 characters
    colour         of all lines; None: left arm and leg blue, right ones orange, the rest black
    """
    xyz = pose.reshape(22, 3)                                 # to the side, up, towards the camera
    across = left + wide * (0.8 * xyz[:, 0] + 0.6 * xyz[:, 2])
    up = bottom + tall * (xyz[:, 1] - xyz[:, 1].min())        # the lowest joint is on the floor
    for k in range(1, 22):                                    # joint 0, the waist, has no parent
        ends = [data["parents"][k], k]
        side = data["joint_names"][k].split("_")[0]           # "left", "right", or another word
        axes.plot(across[ends], up[ends], color=colour or COLOURS.get(side, BLACK), linewidth=1.3)
    if name:
        axes.annotate(fill(name, 14), (left, bottom - 0.4), ha="center", va="top", fontsize=8)
