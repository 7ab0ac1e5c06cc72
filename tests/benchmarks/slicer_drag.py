"""Child of `test_slicer_ratio.py`: the drag of a landmark on 3D Slicer's own slice pipeline.

Runs in a Python that has slicer-core. Three slice views, MR under a transform node over US; each
step gives the transform node another matrix, as a registration from landmarks does, and draws the
three views. `sys.argv[1]` is JSON with the views' sizes, scales and volumes. Every line read is a
number of steps to make; one line of JSON answers with seconds of wall clock and of processor time.
Nothing else is drawn: no landmark, outline, text or panel.
"""

import json
import sys
import time

import numpy as np
import slicer_core as slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

OPACITY = 0.45
GREY = "vtkMRMLColorTableNodeGrey"
RAS_FROM_SLICE = {
    "axial": (-1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1),
    "sagittal": (0, 0, -1, 0, -1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1),
    "coronal": (-1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1),
}


def make_scene():
    scene = slicer.vtkMRMLScene()
    logics = slicer.vtkMRMLApplicationLogic(), slicer.vtkMRMLColorLogic()
    for logic in logics:
        logic.SetMRMLScene(scene)
    return scene, logics


def make_volume(scene, shape, spacing):
    """Noise of that many voxels (k, j, i) and millimetres (x, y, z), centred on the origin."""
    voxels = np.random.default_rng(1).integers(0, 255, shape, dtype=np.uint8)
    image = vtk.vtkImageData()
    image.SetDimensions(*shape[::-1])
    image.GetPointData().SetScalars(numpy_to_vtk(voxels.reshape(-1), deep=True))
    node, display = slicer.vtkMRMLScalarVolumeNode(), slicer.vtkMRMLScalarVolumeDisplayNode()
    node.SetAndObserveImageData(image)
    node.SetSpacing(*spacing)
    node.SetOrigin(*[-(n - 1) / 2 * mm for n, mm in zip(shape[::-1], spacing, strict=True)])
    for each in (node, display):
        scene.AddNode(each)
    display.SetAndObserveColorNodeID(GREY)
    display.AutoWindowLevelOff()
    display.SetWindowLevel(255, 127)
    node.SetAndObserveDisplayNodeID(display.GetID())
    return node


def make_view(scene, logics, us, mr, view):
    """A slice logic with MR over US, and a window that draws what it blends, as Slicer does."""
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLApplicationLogic(logics[0])
    logic.SetMRMLScene(scene)
    node = logic.AddSliceNode(view["orientation"])
    layers = logic.GetSliceCompositeNode()
    layers.SetBackgroundVolumeID(us.GetID())
    layers.SetForegroundVolumeID(mr.GetID())
    layers.SetForegroundOpacity(OPACITY)
    node.GetSliceToRAS().DeepCopy(RAS_FROM_SLICE[view["orientation"]])
    width, height = view["size_px"]
    node.SetDimensions(width, height, 1)
    node.SetFieldOfView(width * view["mm_per_px"], height * view["mm_per_px"], 1.0)
    node.UpdateMatrices()
    window, renderer = vtk.vtkRenderWindow(), vtk.vtkRenderer()
    window.SetSize(width, height)
    window.AddRenderer(renderer)
    mapper, actor = vtk.vtkImageMapper(), vtk.vtkActor2D()
    mapper.SetColorWindow(255)
    mapper.SetColorLevel(127.5)
    mapper.SetInputConnection(logic.GetImageDataConnection())
    actor.SetMapper(mapper)
    renderer.AddViewProp(actor)
    window.Render()
    return logic, window


def placed(step):
    """Another place of the MR for every step, a few degrees and millimetres about the first."""
    turn = vtk.vtkTransform()
    turn.RotateX(17 + 3 * np.sin(step / 9))
    turn.RotateZ(2 * np.cos(step / 7))
    turn.Translate(4, -3 + np.sin(step / 5), 2)
    return turn.GetMatrix()


def main():
    wanted = json.loads(sys.argv[1])
    scene, logics = make_scene()
    us, mr = (make_volume(scene, *wanted["volumes"][space]) for space in ("us", "mr"))
    us_from_mr = slicer.vtkMRMLLinearTransformNode()
    scene.AddNode(us_from_mr)
    mr.SetAndObserveTransformNodeID(us_from_mr.GetID())
    views = [make_view(scene, logics, us, mr, view) for view in wanted["views"]]
    made = 0
    for line in sys.stdin:
        wall, cpu = [], []
        for _ in range(int(line)):
            made += 1
            matrix = placed(made)
            begun, used = time.perf_counter(), time.process_time()
            us_from_mr.SetMatrixTransformToParent(matrix)
            for _, window in views:
                window.Render()
            wall.append(time.perf_counter() - begun)
            cpu.append(time.process_time() - used)
        sys.stdout.write(json.dumps({"wall_s": wall, "cpu_s": cpu}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
