import { activations } from "./course/activations";
import { backpropagation } from "./course/backpropagation";
import { batches } from "./course/batches";
import { correlation } from "./course/correlation";
import { initialisation } from "./course/initialisation";
import { lenet } from "./course/lenet";
import { line } from "./course/line";
import { logistic } from "./course/logistic";
import { losses } from "./course/losses";
import { optimizers } from "./course/optimizers";
import { perceptron } from "./course/perceptron";
import { rate } from "./course/rate";
import { scaling } from "./course/scaling";
import { xor } from "./course/xor";
import type { Lesson } from "./lesson";

/** Every lesson, in the order of the course: a new one is a file in course/ and its name here. */
export const LESSONS: Lesson[] = [correlation, line, rate, batches, scaling, logistic, perceptron, xor, activations, backpropagation, initialisation, losses, optimizers, lenet];
